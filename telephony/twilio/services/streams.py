"""Redeem a media stream's token: once, in time, for its own call."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from agents.configuration.models import Persona
from recordings.services.automatic import enqueue_phone_recording
from sessions.calls.end_reasons import EndReason
from sessions.calls.feeds import announce_calls
from sessions.calls.models import Call, CallEvent, CallState
from sessions.calls.services import LEASE, finish_call, record_event
from telephony.twilio.models import MediaStream
from telephony.twilio.tokens import stream_id_of
from voiceapp.core.metrics import calls_refused, tokens_refused
from voiceapp.core.serving import process_name

logger = structlog.get_logger("webhooks")


@dataclass(frozen=True, slots=True)
class RedeemedStream:
    """A stream that may speak for its call."""

    stream_id: UUID
    call_id: UUID
    is_return: bool = False


class TokenRefused(Exception):
    """The stream may not speak for a call. `reason` is one of a closed set."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def redeem_token(
    token: str,
    *,
    call_sid: str,
    account_sid: str,
    stream_sid: str,
    hints: Mapping[str, str],
    has_place: bool = True,
) -> RedeemedStream:
    """Connect the call that the token was made for. Raises TokenRefused, which is counted and logged.

    Without a place in this process the call is missed, and the caller hears that all lines are busy. `hints` are what
    the query and the parameters say (orgId, callSid, callId, from): given, they must be true.
    """
    try:
        stream = _find_stream(token, call_sid=call_sid, account_sid=account_sid, hints=hints)
        if not has_place:
            _turn_away(stream.call_id)
        _use(stream, stream_sid=stream_sid[:64])
    except TokenRefused as refusal:
        tokens_refused.labels(refusal.reason).inc()
        logger.warning("stream refused", reason=refusal.reason)
        raise
    return RedeemedStream(stream_id=stream.id, call_id=stream.call_id, is_return=stream.is_return)


def _find_stream(token: str, *, call_sid: str, account_sid: str, hints: Mapping[str, str]) -> MediaStream:
    stream_id = stream_id_of(token)
    if stream_id is None:
        raise TokenRefused("forged")
    streams = MediaStream.objects.select_related("call__organization", "call__agent_version")
    stream = streams.defer("call__agent_version__prompt").filter(id=stream_id).first()
    if stream is None:
        raise TokenRefused("unknown")
    call = stream.call
    if call.carrier_sid != call_sid:
        raise TokenRefused("other_call")
    if stream.account_sid != account_sid:
        raise TokenRefused("other_account")
    if not are_true(hints, call):
        raise TokenRefused("other_hints")
    return stream


def _turn_away(call_id: UUID) -> NoReturn:
    """More calls were taken at once than this process may carry: the last to start have no place."""
    if finish_call(call_id, reason=EndReason.LINE_FULL):
        CallEvent.objects.filter(call=call_id, kind="ringing").update(detail={"refused_for": "server"})
        calls_refused.labels("server").inc()
    raise TokenRefused("full")


def _use(stream: MediaStream, *, stream_sid: str) -> None:
    now = timezone.now()
    with transaction.atomic():
        # The guard names the row's own columns only: PostgreSQL would not look again at a joined one after waiting.
        is_ours = MediaStream.objects.filter(id=stream.id, used_at=None, expires_at__gt=now).update(
            used_at=now, stream_sid=stream_sid
        )
        if not is_ours:
            raise TokenRefused("expired" if stream.used_at is None and stream.expires_at <= now else "used")
        if not _connect(stream, now):
            raise TokenRefused("call_over")
        record_event(stream.call_id, "agent_back" if stream.is_return else "connected")
        announce_calls(stream.call.organization_id, stream.call_id)
        version = stream.call.agent_version
        # It goes on while the caller talks to a person, and after that.
        if version is not None and version.recording == Persona.RecordedBy.TWILIO and not stream.is_return:
            enqueue_phone_recording(stream.call)


def _connect(stream: MediaStream, now: dt.datetime) -> bool:
    """Whether the call waits for this stream: it rings, or comes back from a transfer."""
    calls, carried = (
        Call.objects.filter(id=stream.call_id),
        {"lease_expires_at": now + LEASE, "process": process_name()},
    )
    if stream.is_return:
        return bool(calls.filter(state=CallState.CONNECTED).update(**carried))
    return bool(calls.filter(state=CallState.RINGING).update(state=CallState.CONNECTED, connected_at=now, **carried))


def are_true(hints: Mapping[str, str], call: Call) -> bool:
    """Whether everything that the hints say of the call is so. Empty ones say nothing."""
    organization = call.organization
    truths: dict[str, set[str | None]] = {
        "orgId": {str(organization.id), organization.slug} if organization else set(),
        "callSid": {call.carrier_sid},
        "callId": {str(call.id)},
        # An unescaped plus in a query arrives as a space.
        "from": {call.caller_number, call.caller_number.replace("+", " ")},
    }
    return all(not hints.get(name) or hints[name] in true for name, true in truths.items())
