"""`POST /twilio/recording-status`: what became of a message that a caller left, and of the recording of a call."""

from __future__ import annotations

from django.http import HttpResponse

from telephony.twilio.recordings import note_recording_report
from telephony.twilio.voicemail.services import note_missing, open_voicemail
from voiceapp.providers.twilio.recordings import SOURCE_OF_REST

from .endpoint import SignedForm, find_call, twilio_webhook
from .status import busy

WITHOUT_AUDIO = {"absent", "failed"}
OF_CALLS = WITHOUT_AUDIO | {"in-progress", "completed"}


@twilio_webhook(without_database=busy)
def recording_status(form: SignedForm) -> HttpResponse:
    """The audio's address in the form is not used: it is made from the recording's SID."""
    call = find_call(form)
    if call is None:
        return HttpResponse(status=404)
    sid, status = form.text("RecordingSid"), form.text("RecordingStatus")
    if form.text("RecordingSource") == SOURCE_OF_REST:
        if status in OF_CALLS:
            note_recording_report(call, recording_sid=sid, status=status, error_code=form.number("ErrorCode"))
    elif status == "completed":
        open_voicemail(call, recording_sid=sid, duration_s=form.number("RecordingDuration"))
    elif status in WITHOUT_AUDIO:
        note_missing(call, recording_sid=sid, status=status, error_code=form.text("ErrorCode", 10))
    return HttpResponse(status=204)
