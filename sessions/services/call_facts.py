"""Keeps what the bridge reports of a live call: transcript, turns, usage, timeline."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from sessions.costs import add_usage, cost_of
from sessions.facts import Fact, LineSpoken, SomethingHappened, TurnAnswered, TurnInterrupted, UsageReported
from sessions.models import Call, CallEvent, TranscriptLine, Turn
from sessions.short_ids import short_id
from voiceapp.lib.metrics import turn_response_seconds

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
