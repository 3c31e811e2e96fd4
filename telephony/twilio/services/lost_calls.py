"""Calls that no process carries any more, or that never began: closed once the carrier confirms their end. Those of
browsers have no carrier: they are closed at once.

Calls in rooms have no lease: LiveKit carries them (telephony/livekit/reconciliation.py). Nor have calls to a number of
VAPI's (telephony/vapi/reconciliation.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from sessions.calls.end_reasons import EndReason
from sessions.calls.models import CARRIED, Call, CallKind, CallState
from sessions.calls.services import LEASE, finish_call, possible_end, record_event
from sessions.realtime.services.hang_ups import hang_up
from telephony.twilio.models import MediaStream
from telephony.twilio.transfers.models import LIVE_TRANSFERS, Transfer
from voiceapp.providers.errors import ProviderError
from voiceapp.providers.twilio.client import TwilioClient

logger = structlog.get_logger("lost_calls")

# A stream's token is good for 60 s; after that nothing can begin the call.
NEVER_BEGAN_AFTER = timedelta(seconds=75)
# A carrier that says "in progress", or nothing, for so long after we lost the call is not believed.
GIVE_UP_AFTER = timedelta(minutes=5)
MOST_AT_ONCE = 200


def close_lost_calls() -> int:
    """How many calls were closed. Safe to run in several places at once: each call is ended by a guarded update."""
    now = timezone.now()
    lost = list(_lost(now).order_by("created_at")[:MOST_AT_ONCE])
    return sum(_close(call, now) for call in lost)


def _lost(now: datetime) -> QuerySet[Call]:
    lease_ran_out = Q(lease_expires_at__lt=now) | Q(lease_expires_at=None, connected_at__lt=now - LEASE)
    # A call in a transfer is carried by no process here, and ended by its transfer.
    in_transfer = Transfer.objects.filter(call=OuterRef("pk"), state__in=LIVE_TRANSFERS)
    ours = Call.objects.filter(~Exists(in_transfer), kind__in=CARRIED).exclude(vapi_legs__carries_phone=True)
    return ours.filter(
        Q(lease_ran_out, state=CallState.CONNECTED)
        | Q(state__in=(CallState.PENDING, CallState.RINGING), created_at__lt=now - NEVER_BEGAN_AFTER)
    )


def _close(call: Call, now: datetime) -> bool:
    lost_at = call.lease_expires_at or call.connected_at or call.created_at
    is_overdue = lost_at < now - GIVE_UP_AFTER
    if call.kind == CallKind.BROWSER:
        hang_up(call)  # at OpenAI it goes on without us, for up to an hour
    report = _report_on(call)
    if report.is_over is not True and not is_overdue:
        return False
    ended_at = report.ended_at or _last_carried_at(call, now)
    if report.is_over is False:
        _hang_up(call)
        ended_at = timezone.now()
    reason = EndReason.LOST_PROCESS if call.state == CallState.CONNECTED else EndReason.NOT_ANSWERED
    return finish_call(call.id, reason=reason, at=possible_end(call, ended_at))


@dataclass(frozen=True, slots=True)
class Report:
    """Whether the conversation is over (None: unknown), and since when, if that is known."""

    is_over: bool | None
    ended_at: datetime | None = None


def _report_on(call: Call) -> Report:
    stream = MediaStream.objects.latest_of(call)
    if stream is not None and stream.ended_at is not None:
        # What the carrier does with the caller now is not the agent's.
        return Report(is_over=True, ended_at=stream.ended_at)
    if not call.carrier_sid or call.kind == CallKind.BROWSER:
        return Report(is_over=True)
    try:
        found = TwilioClient.from_settings().fetch_call(call.carrier_sid)
    except ProviderError as fault:
        logger.warning("carrier request failed", call_id=str(call.id), error=str(fault))
        return Report(is_over=True if fault.permanent else None)
    return Report(is_over=found.is_over, ended_at=found.ended_at)


def _last_carried_at(call: Call, now: datetime) -> datetime:
    """When a process last said that it carries the call; of one that none ever carried, now."""
    if call.state != CallState.CONNECTED:
        return now
    return call.lease_expires_at - LEASE if call.lease_expires_at else call.connected_at or now


def _hang_up(call: Call) -> None:
    """No agent speaks with this caller any more: end the call, which costs money."""
    try:
        TwilioClient.from_settings().hang_up(call.carrier_sid or "")
    except ProviderError as fault:
        logger.warning("lost call not hung up", call_id=str(call.id), error=str(fault))
    else:
        record_event(call.id, "hung_up_at_the_carrier")
