"""Twilio's webhooks as they are stored: by an allow-list, numbers masked, words left out; and which can be replayed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from uuid import UUID

import structlog
from django.db import DatabaseError

from sessions.calls.models import Call
from sessions.messages.texts.services.statuses import note_status
from telephony.events.models import ProviderEvent
from telephony.events.replaying import obstacles, replays, through_the_inbox
from telephony.twilio.services.statuses import note_call_status, note_stream_status
from voiceapp.core.errors import ApplicationError
from voiceapp.core.phones.numbers import mask

logger = structlog.get_logger("webhooks")

SOURCE = "twilio"
# Of the form of a webhook. Keys that a person pressed and what anybody said or wrote are not kept.
KEPT = frozenset({
    "AnsweredBy", "CallDuration", "CallSid", "CallStatus", "ConferenceSid", "DialBridged", "DialCallDuration",
    "DialCallSid", "DialCallStatus", "Direction", "ErrorCode", "MessageSid", "MessageStatus", "NumMedia", "OptOutType",
    "RecordingDuration", "RecordingSid", "RecordingSource", "RecordingStatus", "SequenceNumber", "StatusCallbackEvent",
    "Timestamp",
})  # fmt: skip
MASKED = frozenset({"From", "To", "Called", "Caller", "ForwardedFrom"})
# The address of a webhook says which of our rows it is about.
KEPT_OF_ADDRESS = frozenset({"orgId", "stream", "attempt", "transfer", "text", "round"})
# An incoming call is a row of its own, and the phone is ringing meanwhile; the others keep what they mean
# (services/statuses.py).
KEEP_THEMSELVES = frozenset({"start", "call_status", "stream_status"})
LONGEST_VALUE = 64

ASKS = "It asked what the call does next: the caller has heard the answer."
NO_WORDS = "The text and its number were redacted."


def note_webhook(name: str, fields: Mapping[str, str], query: Mapping[str, str]) -> None:
    """Keep a verified webhook once, however often it comes. Never raises: the phone call goes on."""
    if name in KEEP_THEMSELVES:
        return
    kept = kept_fields(fields, query)
    call_sid = fields.get("CallSid", "")
    content = hashlib.sha256(json.dumps([name, kept], sort_keys=True).encode()).hexdigest()
    try:
        call_id = Call.objects.filter(carrier_sid=call_sid).values_list("pk", flat=True).first() if call_sid else None
        event = ProviderEvent(
            source=SOURCE,
            kind=f"webhook.{name}",
            dedup_key=f"webhook:{content}",
            partition_key=call_sid or fields.get("MessageSid", ""),
            call_id=call_id,
            fields=kept,
        )
        ProviderEvent.objects.bulk_create([event], ignore_conflicts=True)
    except DatabaseError:
        logger.exception("webhook not noted", webhook=name)


def kept_fields(fields: Mapping[str, str], query: Mapping[str, str]) -> dict[str, object]:
    kept: dict[str, object] = {name: _line(value) for name, value in fields.items() if name in KEPT}
    kept |= {name: mask(_line(value)) for name, value in fields.items() if name in MASKED and value}
    if address := {name: _line(value) for name, value in query.items() if name in KEPT_OF_ADDRESS}:
        kept["address"] = address
    return kept


def _line(value: str) -> str:
    return "".join(sign for sign in value if sign.isprintable())[:LONGEST_VALUE]


def register_all() -> None:
    """Called once, when the app is ready."""
    found: dict[str, Callable[[ProviderEvent], None]] = {
        "call.": _replay_call_status,
        "stream.": _replay_stream_status,
        "recording.": through_the_inbox,
        "webhook.message_status": _replay_text_status,
    }
    replays.update({(SOURCE, kind): replay for kind, replay in found.items()})
    why = {"webhook.message": NO_WORDS, "webhook.": ASKS, "dial.": ASKS, "message.": ASKS}
    obstacles.update({(SOURCE, kind): reason for kind, reason in why.items()})


def _replay_call_status(event: ProviderEvent) -> None:
    note_call_status(
        event.partition_key,
        status=event.kind.removeprefix("call."),
        sequence=event.fields.get("sequence"),
        duration_s=event.fields.get("duration_s"),
        at=event.created_at,
    )


def _replay_stream_status(event: ProviderEvent) -> None:
    if event.call is None:
        raise ApplicationError("Its call was deleted.")
    _, stream_sid, name = event.dedup_key.split(":", 2)
    note_stream_status(event.call, stream_sid=stream_sid, event=name, error=str(event.fields.get("error", "")))


def _replay_text_status(event: ProviderEvent) -> None:
    fields, address = event.fields, event.fields.get("address", {})
    code = str(fields.get("ErrorCode", ""))
    text_id = UUID(address["text"]) if address.get("text") else None
    note_status(
        str(fields.get("MessageSid", "")),
        str(fields.get("MessageStatus", "")),
        text_id=text_id,
        error_code=int(code) if code.isdigit() else None,
    )
