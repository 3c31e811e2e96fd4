"""`POST /twilio/call-status`: what became of a call, in any order and repeated."""

from __future__ import annotations

import datetime as dt
from email.utils import parsedate_to_datetime

from django.http import HttpResponse

from sessions.models import Call
from telephony.services import note_call_status
from telephony.services.statuses import STATUSES
from telephony.webhooks.door import SignedForm, find_call, twilio_door


def busy() -> HttpResponse:
    """Twilio asks again where its address says so (#rp=5xx)."""
    return HttpResponse(status=503)


@twilio_door(without_database=busy)
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
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
