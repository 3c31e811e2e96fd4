"""`POST /twilio/call-status`: what became of a call, in any order and repeated."""

from __future__ import annotations

import datetime as dt
from email.utils import parsedate_to_datetime

import structlog
from django.http import HttpResponse

from sessions.calls.models import Call
from telephony.twilio.services.statuses import STATUSES, note_call_status, note_stream_status

from .endpoint import SignedForm, find_call, twilio_webhook


def busy() -> HttpResponse:
    """Twilio retries where its address says so (#rp=5xx)."""
    return HttpResponse(status=503)


@twilio_webhook(without_database=busy)
def call_status(form: SignedForm) -> HttpResponse:
    if find_call(form) is None and Call.objects.filter(carrier_sid=form.call_sid).exists():
        return HttpResponse(status=404)
    status = form.text("CallStatus")
    if status in STATUSES:
        note_call_status(
            form.call_sid,
            status=status,
            sequence=form.number("SequenceNumber"),
            duration_s=form.number("CallDuration"),
            at=_moment(form.text("Timestamp")),
        )
    return HttpResponse(status=204)


def _moment(text: str) -> dt.datetime | None:
    """Of RFC 2822, as Twilio gives when a call's status changed; None if it is none."""
    try:
        time = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return time if time.tzinfo else time.replace(tzinfo=dt.UTC)


logger = structlog.get_logger("webhooks")

EVENTS = {"stream-started", "stream-stopped", "stream-error"}


@twilio_webhook(without_database=busy)
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
