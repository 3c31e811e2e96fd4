"""The life of a call: its leases, its end and its timeline. State moves only by guarded updates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Case, F, Max, OuterRef, Q, Subquery, Value, When
from django.utils import timezone

from agents.organizations.models import Organization
from agents.privacy.models import privacy_settings_of
from sessions.analytics.changes import note_day_change
from sessions.messages.outbox import outbox
from voiceapp.core.metrics import turn_response_seconds

from .announcing import announce_end
from .costs import add_usage, cost_of, set_cost
from .end_reasons import EndReason
from .facts import (
    CostReported,
    Fact,
    LineSpoken,
    SomethingHappened,
    TurnAnswered,
    TurnInterrupted,
    UsageReported,
)
from .feeds import announce_call, announce_calls
from .models import CARRIED, LIVE_STATES, TERMINAL_STATES, Call, CallEvent, CallState, TranscriptLine, Turn
from .recording_links import recording_transcript
from .short_ids import short_id

logger = structlog.get_logger("calls")

LEASE = timedelta(seconds=45)
SAID_TOPIC = "call.said"
# The last words of a call may be transcribed after its end.
LAST_LINES_WITHIN = timedelta(seconds=10)

COMPLETED_REASONS = {
    EndReason.CALLER_HUNG_UP,
    EndReason.AGENT_HUNG_UP,
    EndReason.TRANSFERRED,
    EndReason.NOBODY_THERE,
    EndReason.CALLER_SILENT,
    EndReason.TOO_LONG,
    EndReason.BUDGET_USED,
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
    EndReason.BROWSER_NEVER_JOINED,
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
            note_day_change(Call.objects.values_list("organization_id", flat=True).get(id=call_id), call_id=call_id)
            CallEvent.objects.create(call_id=call_id, kind="ended", at=now, detail={"reason": reason.value})
            _look_up_what_was_said(call_id)
            announce_end(call_id)
            announce_calls(Call.objects.values_list("organization_id", flat=True).get(pk=call_id), call_id)
    if is_ours:
        logger.info("call ended", call_id=str(call_id), reason=reason.value)
    return bool(is_ours)


def _look_up_what_was_said(call_id: UUID) -> None:
    """Have a worker find when that was said of which the call made orders and appointments (sessions/handlers.py)."""
    made = Q(orders__isnull=False) | Q(appointments__isnull=False)
    call = Call.objects.filter(made, pk=call_id).select_related("organization").first()
    if call is not None:
        outbox.enqueue(
            SAID_TOPIC,
            partition_key=f"call:{call_id}",
            body={"call": str(call_id)},
            organization=call.organization,
            delay=LAST_LINES_WITHIN,
        )


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
    announce_call(call_id)


def live_calls_of(organization: Organization) -> int:
    """How many calls of the organization have not ended, for its capacity; LiveKit carries those in rooms."""
    return Call.objects.live().filter(organization=organization, kind__in=CARRIED).count()


def renew_leases(call_ids: Iterable[UUID]) -> set[UUID]:
    """Report that this process still carries these calls. Returns those that have not ended meanwhile."""
    ids = list(call_ids)
    live = Call.objects.filter(id__in=ids, state__in=LIVE_STATES)
    if live.update(lease_expires_at=timezone.now() + LEASE) == len(ids):
        return set(ids)
    return set(live.values_list("id", flat=True))


LONGEST_ITEM_ID = 80
# The last two for the search: whose words they are.
READ_OF_CALL = (
    "created_at", "connected_at", "state", "usage", "organization_id", "owner", "recording_declined_at",
)  # fmt: skip


def record_facts(call_id: UUID, facts: Sequence[Fact]) -> None:
    """All of them in one transaction, each kind of row in one statement. A line or a turn that is there already is
    brought up to date."""
    with transaction.atomic():
        call = Call.objects.select_for_update(no_key=True).only(*READ_OF_CALL).get(id=call_id)
        lines = [fact for fact in facts if isinstance(fact, LineSpoken)]
        _keep_lines(call, lines)
        if lines and call.state in TERMINAL_STATES:
            _look_up_what_was_said(call_id)
        if call.state in TERMINAL_STATES:
            note_day_change(call.organization_id, call.created_at)
        _keep_turns(call, [fact for fact in facts if isinstance(fact, TurnAnswered | TurnInterrupted)])
        _keep_events(call, [fact for fact in facts if isinstance(fact, SomethingHappened | TurnInterrupted)])
        _count(call, facts)
        announce_call(call_id)
    for fact in facts:
        if isinstance(fact, TurnAnswered):
            turn_response_seconds.observe(fact.response_ms / 1000)


def keeps_words(call: Call) -> bool:
    """Whether what is said on this call is written down. Who spoke and when always is: turns are counted by it."""
    if call.recording_declined_at is None or call.organization is None:
        return call.recording_declined_at is None
    return not privacy_settings_of(call.organization).deletes_declined_words


def forget_words(call: Call) -> bool:
    """Empty the transcript of a call whose caller did not want to be recorded, if its organization has chosen that.

    In the transaction of what the caller declined. Returns whether it was emptied. Safe to repeat.
    """
    if keeps_words(call):
        return False
    TranscriptLine.objects.filter(call=call).exclude(text="").update(text="", words="")
    return True


def _keep_lines(call: Call, facts: Sequence[LineSpoken]) -> None:
    lines: dict[str, TranscriptLine] = {}  # the last text of an item stands
    has_words = not facts or keeps_words(call)
    for fact in facts:
        item_id = short_id(fact.item_id, longest=LONGEST_ITEM_ID)
        lines[item_id] = TranscriptLine(
            call=call,
            item_id=item_id,
            speaker=fact.speaker.value,
            text=fact.text.replace("\x00", "") if has_words else "",  # JSON may carry one, PostgreSQL's text may not
            spoken_at_ms=fact.spoken_at_ms,
            turn=fact.turn,
            is_cut=fact.is_cut,
        )
    TranscriptLine.objects.bulk_create(
        lines.values(),
        update_conflicts=True,
        unique_fields=("call", "item_id"),
        update_fields=("speaker", "text", "spoken_at_ms", "turn", "is_cut"),
    )


PARTS = ("speech_ended_ms", "response_ms", "detection_ms", "model_ms", "playout_ms")


def _keep_turns(call: Call, facts: Sequence[TurnAnswered | TurnInterrupted]) -> None:
    answered, interrupted = {}, {}
    for fact in facts:
        if isinstance(fact, TurnAnswered):
            parts = {part: getattr(fact, part) for part in PARTS}
            answered[fact.number] = Turn(call=call, number=fact.number, **parts)
        else:
            interrupted[fact.number] = Turn(call=call, number=fact.number, is_interrupted=True)
    for turns, fields in ((answered, PARTS), (interrupted, ("is_interrupted",))):
        Turn.objects.bulk_create(
            turns.values(), update_conflicts=True, unique_fields=("call", "number"), update_fields=fields
        )


def _keep_events(call: Call, facts: Sequence[SomethingHappened | TurnInterrupted]) -> None:
    began_at = call.connected_at or call.created_at
    events = []
    for fact in facts:
        if isinstance(fact, SomethingHappened):
            kind, detail = fact.kind[:40], dict(fact.detail)
        else:
            kind, detail = "interrupted", {"turn": fact.number, "heard_ms": fact.heard_ms}
        at = began_at + timedelta(milliseconds=fact.at_ms)
        events.append(CallEvent(call=call, kind=kind, at=at, at_ms=max(0, fact.at_ms), detail=detail))
    CallEvent.objects.bulk_create(events)


def _count(call: Call, facts: Sequence[Fact]) -> None:
    """Interruptions, the slowest response, tokens, and what these cost."""
    changes: dict[str, Any] = {}
    if any(isinstance(fact, TurnAnswered) for fact in facts):
        # Of the turns as they are now: a turn may be measured again, and a later measurement replaces the first.
        turns = Turn.objects.filter(call=OuterRef("pk")).order_by().values("call")
        changes["slowest_response_ms"] = Subquery(turns.annotate(slowest=Max("response_ms")).values("slowest"))
    if interruptions := sum(isinstance(fact, TurnInterrupted) for fact in facts):
        changes["interruptions"] = F("interruptions") + interruptions
    if reports := [fact for fact in facts if isinstance(fact, UsageReported | CostReported)]:
        usage: Mapping[str, object] = call.usage
        for report in reports:
            if isinstance(report, CostReported):
                usage = set_cost(usage, source=report.source, usd=report.usd)
            else:
                usage = add_usage(usage, source=report.source, model=report.model, usage=report.usage)
        changes |= {"usage": usage, "cost_usd": cost_of(usage, timezone.now().date())}
    if changes:
        Call.objects.filter(id=call.id).update(**changes)


MOST_LINES = 5000


def transcript_of(call: Call) -> str | None:
    """The transcript of its recording, else its transcript lines in order; None without either."""
    return recording_transcript(call) or _spoken(call)


def _spoken(call: Call) -> str | None:
    lines = call.lines.exclude(text="").order_by("spoken_at_ms", "id").values_list("speaker", "text")[:MOST_LINES]
    return "\n".join(f"{speaker.capitalize()}: {text}" for speaker, text in lines) or None
