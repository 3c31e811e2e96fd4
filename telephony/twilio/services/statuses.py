"""What the carrier says of a call, in whatever order and however often it says so."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call, CallState
from sessions.calls.services import finish_call, possible_end, record_event
from telephony.events.models import ProviderEvent
from telephony.twilio.models import FollowUp, MediaStream
from telephony.twilio.transfers.progress import caller_gone
from voiceapp.core.transactions import serialize

# A time is given to the second: it means the end of that one, unless its webhook had arrived by then.
A_SECOND = timedelta(milliseconds=999)

OVER_AT_THE_CARRIER = frozenset({"completed", "busy", "no-answer", "failed", "canceled"})
STATUSES = OVER_AT_THE_CARRIER | {"queued", "initiated", "ringing", "in-progress"}

# What had been decided when the carrier says that the call is over.
REASONS = {
    FollowUp.NOTHING: EndReason.CALLER_HUNG_UP,
    FollowUp.HANG_UP: EndReason.AGENT_HUNG_UP,
    FollowUp.HAND_OVER: EndReason.TRANSFERRED,
    FollowUp.FALL_BACK: EndReason.PROVIDER_FAILED,
}


def lock_of(call_sid: str) -> str:
    """The lock held while this call is opened, and while something waits for it to be opened."""
    return f"telephony.call:{call_sid}"


def note_call_status(
    call_sid: str, *, status: str, sequence: int | None, duration_s: int | None, at: datetime | None = None
) -> None:
    """Keep a call status once. A terminal one ends the call, if it is still live; the others change nothing.

    `at` is when it became so, to the second, if that is known. The status may come before the call's own webhook: then
    it waits, without a call, to be claimed.
    """
    with transaction.atomic():
        known = Call.objects.filter(carrier_sid=call_sid)
        call = known.first()
        if call is None:
            # Its webhook may be opening it right now and must not miss this event.
            serialize(lock_of(call_sid))
            call = known.all().first()
        ProviderEvent.objects.get_or_create(
            source="twilio",
            dedup_key=f"{call_sid}:{status}:{'' if sequence is None else sequence}",
            defaults={
                "kind": f"call.{status}",
                "call": call,
                "partition_key": call_sid,
                "fields": {"sequence": sequence, "duration_s": duration_s},
            },
        )
    if call is None or status not in OVER_AT_THE_CARRIER:
        return
    ended_at = at + A_SECOND if at else timezone.now()
    caller_gone(call, possible_end(call, ended_at))
    if call.is_live:
        finish_call(call.id, reason=_reason(call, status), at=possible_end(call, ended_at))


def _reason(call: Call, status: str) -> EndReason:
    if call.state != CallState.CONNECTED and status != "completed":
        return EndReason.NOT_ANSWERED
    if status == "failed":
        return EndReason.STREAM_LOST
    stream = MediaStream.objects.latest_of(call)
    return REASONS[FollowUp(stream.follow_up)] if stream else EndReason.NOT_ANSWERED


def note_stream_status(call: Call, *, stream_sid: str, event: str, error: str) -> None:
    """Keep a stream's event once. Only here does a failed handshake become visible."""
    _, is_new = ProviderEvent.objects.get_or_create(
        source="twilio",
        dedup_key=f"{call.carrier_sid}:{stream_sid}:{event}",
        defaults={"kind": f"stream.{event}", "call": call, "fields": {"error": error}},
    )
    if is_new and event == "stream-error":
        record_event(call.id, "stream_error", {"error": error})
    if event == "stream-stopped":
        # Of a call that has several only one speaks for it: the end of another is not the conversation's.
        streams = MediaStream.objects.filter(call=call)
        if stream_sid:
            named = streams.filter(stream_sid=stream_sid)
            streams = named if named.exists() else streams.filter(stream_sid="")
        streams.filter(ended_at=None).update(ended_at=timezone.now())


def note_dial_result(call: Call, *, dial_sid: str, status: str, duration_s: int | None) -> bool:
    """Keep how ringing a person ended; the first word on each dial stands. True when they talked."""
    event, is_new = ProviderEvent.objects.get_or_create(
        source="twilio",
        dedup_key=f"{call.carrier_sid}:after-dial:{dial_sid}",
        defaults={"kind": "dial.over", "call": call, "fields": {"status": status, "duration_s": duration_s}},
    )
    if is_new:
        record_event(call.id, "transfer_over", event.fields)
    return event.fields["status"] in ("completed", "answered")


def note_message(call: Call, *, recording_sid: str, duration_s: int | None) -> None:
    """Keep where each of the caller's messages lies at the carrier, once."""
    event, is_new = ProviderEvent.objects.get_or_create(
        source="twilio",
        dedup_key=f"{call.carrier_sid}:after-message:{recording_sid}",
        defaults={
            "kind": "message.left",
            "call": call,
            "fields": {"recording_sid": recording_sid, "duration_s": duration_s},
        },
    )
    if is_new:
        record_event(call.id, "message_left", event.fields)
