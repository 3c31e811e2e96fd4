"""The life of a call: its leases, its end and its timeline. State moves only by guarded updates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Case, F, Value, When
from django.utils import timezone

from agents.organizations.models import Organization
from voiceapp.core.metrics import turn_response_seconds

from .costs import add_usage, cost_of
from .end_reasons import EndReason
from .facts import Fact, LineSpoken, SomethingHappened, TurnAnswered, TurnInterrupted, UsageReported
from .models import LIVE_STATES, Call, CallEvent, CallKind, CallState, TranscriptLine, Turn
from .recording_links import recording_transcript
from .short_ids import short_id

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
    """End a call once. True for the caller that ended it; its state and reason are never changed again.

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
    """A line of the call's timeline, now unless `at` says when. `detail` holds no speech and no whole phone numbers."""
    CallEvent.objects.create(call_id=call_id, kind=kind, at=at or timezone.now(), detail=dict(detail or {}))


def live_calls_of(organization: Organization) -> int:
    """How many phone calls of the organization have not ended, for its capacity; LiveKit carries those in rooms."""
    return Call.objects.live().filter(organization=organization, kind=CallKind.PHONE).count()


def renew_leases(call_ids: Iterable[UUID]) -> set[UUID]:
    """Report that this process still carries these calls. Returns those that have not ended meanwhile."""
    ids = list(call_ids)
    live = Call.objects.filter(id__in=ids, state__in=LIVE_STATES)
    if live.update(lease_expires_at=timezone.now() + LEASE) == len(ids):
        return set(ids)
    return set(live.values_list("id", flat=True))


LONGEST_ITEM_ID = 80


def record_facts(call_id: UUID, facts: Sequence[Fact]) -> None:
    """All of them in one transaction, in order. A line or a turn that is there already is brought up to date."""
    with transaction.atomic():
        call = Call.objects.select_for_update().get(id=call_id)
        began_at = call.connected_at or call.created_at
        for fact in facts:
            match fact:
                case LineSpoken():
                    _keep_line(call, fact)
                case TurnAnswered():
                    _keep_turn(call, fact)
                case TurnInterrupted():
                    _keep_interruption(call, fact, began_at)
                case SomethingHappened(kind, at_ms, detail):
                    _keep_event(call, kind, at_ms, dict(detail), began_at)
                case UsageReported(source, model, usage):
                    call.usage = add_usage(call.usage, source=source, model=model, usage=usage)
        if any(isinstance(fact, UsageReported) for fact in facts):
            call.cost_usd = cost_of(call.usage, timezone.now().date())
            call.save(update_fields=("usage", "cost_usd"))
    for fact in facts:
        if isinstance(fact, TurnAnswered):
            turn_response_seconds.observe(fact.response_ms / 1000)


def _keep_line(call: Call, line: LineSpoken) -> None:
    TranscriptLine.objects.update_or_create(
        call=call,
        item_id=short_id(line.item_id, longest=LONGEST_ITEM_ID),
        defaults={
            "speaker": line.speaker.value,
            "text": line.text.replace("\x00", ""),  # JSON may carry one, PostgreSQL's text may not
            "spoken_at_ms": line.spoken_at_ms,
            "turn": line.turn,
            "is_cut": line.is_cut,
        },
    )


def _keep_turn(call: Call, turn: TurnAnswered) -> None:
    Turn.objects.update_or_create(
        call=call,
        number=turn.number,
        defaults={
            "speech_ended_ms": turn.speech_ended_ms,
            "response_ms": turn.response_ms,
            "detection_ms": turn.detection_ms,
            "model_ms": turn.model_ms,
            "playout_ms": turn.playout_ms,
        },
    )


def _keep_interruption(call: Call, turn: TurnInterrupted, began_at: datetime) -> None:
    Turn.objects.update_or_create(call=call, number=turn.number, defaults={"is_interrupted": True})
    Call.objects.filter(id=call.id).update(interruptions=F("interruptions") + 1)
    _keep_event(call, "interrupted", turn.at_ms, {"turn": turn.number, "heard_ms": turn.heard_ms}, began_at)


def _keep_event(call: Call, kind: str, at_ms: int, detail: dict[str, object], began_at: datetime) -> None:
    at = began_at + timedelta(milliseconds=at_ms)
    CallEvent.objects.create(call=call, kind=kind[:40], at=at, at_ms=max(0, at_ms), detail=detail)


MOST_LINES = 5000


def transcript_of(call: Call) -> str | None:
    """The transcript of its recording, else its transcript lines in order; None without either."""
    return recording_transcript(call) or _spoken(call)


def _spoken(call: Call) -> str | None:
    lines = call.lines.order_by("spoken_at_ms", "id").values_list("speaker", "text")[:MOST_LINES]
    return "\n".join(f"{speaker.capitalize()}: {text}" for speaker, text in lines) or None
