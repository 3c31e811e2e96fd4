"""`POST /twilio/recording-status`: what became of a message that a caller left."""

from __future__ import annotations

from django.http import HttpResponse

from telephony.twilio.voicemail.services import note_missing, open_voicemail

from .endpoint import SignedForm, find_call, twilio_webhook
from .status import busy

WITHOUT_AUDIO = {"absent", "failed"}


@twilio_webhook(without_database=busy)
def recording_status(form: SignedForm) -> HttpResponse:
    """The audio's address in the form is not used: it is made from the recording's SID."""
    call = find_call(form)
    if call is None:
        return HttpResponse(status=404)
    sid, status = form.text("RecordingSid"), form.text("RecordingStatus")
    if status == "completed":
        open_voicemail(call, recording_sid=sid, duration_s=form.number("RecordingDuration"))
    elif status in WITHOUT_AUDIO:
        note_missing(call, recording_sid=sid, status=status, error_code=form.text("ErrorCode", 10))
    return HttpResponse(status=204)
