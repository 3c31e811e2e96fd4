"""`POST /twilio/stream-status`: a media stream started, stopped or failed."""

from __future__ import annotations

import structlog
from django.http import HttpResponse

from telephony.services import note_stream_status
from telephony.webhooks.door import SignedForm, find_call, twilio_door
from telephony.webhooks.status import busy

logger = structlog.get_logger("doors")

EVENTS = {"stream-started", "stream-stopped", "stream-error"}


@twilio_door(without_database=busy)
def stream_status(form: SignedForm) -> HttpResponse:
    call = find_call(form)
    if call is None:
        return HttpResponse(status=404)
    event = form.text("StreamEvent")
    if event in EVENTS:
        error = form.text("StreamError", 200)
        if event == "stream-error":
            logger.warning("the carrier could not stream", call_id=str(call.id), error=error)
        note_stream_status(call, stream_sid=form.text("StreamSid"), event=event, error=error)
    return HttpResponse(status=204)
