"""The life of a call: its leases, its end and its timeline. State moves only by guarded updates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Case, Value, When
from django.utils import timezone

from agents.models import Organization
from sessions.end_reasons import EndReason
from sessions.models import Call, CallEvent
from sessions.models.call import LIVE_STATES, CallKind, CallState

logger = structlog.get_logger("calls")

LEASE = timedelta(seconds=45)

COMPLETED_REASONS = {
    EndReason.CALLER_HUNG_UP,
    EndReason.AGENT_HUNG_UP,
    EndReason.TRANSFERRED,
    EndReason.CALLER_SILENT,
    EndReason.TOO_LONG,
    EndReason.HUNG_UP_BY_OPERATOR,
    EndReason.ENDED_BY_REQUEST,
    EndReason.ROOM_CLOSED,
}
MISSED_REASONS = {
    EndReason.CLOSED_HOURS,
    EndReason.AGENT_PAUSED,
    EndReason.AGENT_NOT_PUBLISHED,
    EndReason.NO_AGENT,
    EndReason.NUMBER_SWITCHED_OFF,
    EndReason.LINE_FULL,
    EndReason.UNKNOWN_NUMBER,
    EndReason.NOT_ANSWERED,
}


def finish_call(
    call_id: UUID, *, reason: EndReason, at: datetime | None = None, state: CallState | None = None
) -> bool:
    """End a call once. True for the one who ended it; the state and the reason it wrote are never changed again.

    A call that was never connected is missed, whatever would have made it completed, unless `state` names the terminal
    state. `at` is when it ended, if not now.
    """
    now = at or timezone.now()
    with transaction.atomic():
        is_ours = Call.objects.filter(id=call_id, state__in=LIVE_STATES).update(
            state=state or _terminal_state(reason), end_reason=reason, ended_at=now, lease_expires_at=None
        )
        if is_ours:
            CallEvent.objects.create(call_id=call_id, kind="ended", at=now, detail={"reason": reason.value})
    if is_ours:
        logger.info("call ended", call_id=str(call_id), reason=reason.value)
    return bool(is_ours)


def possible_end(call: Call, at: datetime) -> datetime:
    """No call ends before it began or in the future, whatever another clock says."""
    return max(call.created_at, call.connected_at or call.created_at, min(at, timezone.now()))


def _terminal_state(reason: EndReason) -> CallState | Case:
    if reason in MISSED_REASONS:
        return CallState.MISSED
    if reason in COMPLETED_REASONS:
        return Case(When(state=CallState.CONNECTED, then=Value(CallState.COMPLETED)), default=Value(CallState.MISSED))
    return CallState.FAILED


def record_event(
    call_id: UUID, kind: str, detail: Mapping[str, Any] | None = None, *, at: datetime | None = None
) -> None:
    """A line of the call's timeline, now unless `at` says when. No caller's words and no whole numbers in `detail`."""
    CallEvent.objects.create(call_id=call_id, kind=kind, at=at or timezone.now(), detail=dict(detail or {}))


def live_calls_of(organization: Organization) -> int:
    """How many phone calls of the organisation have not ended, for its capacity; LiveKit carries those in rooms."""
    return Call.objects.live().filter(organization=organization, kind=CallKind.PHONE).count()


def renew_leases(call_ids: Iterable[UUID]) -> set[UUID]:
    """Say that this process still carries these calls. Returns those that nobody has ended meanwhile."""
    ids = list(call_ids)
    live = Call.objects.filter(id__in=ids, state__in=LIVE_STATES)
    if live.update(lease_expires_at=timezone.now() + LEASE) == len(ids):
        return set(ids)
    return set(live.values_list("id", flat=True))
