"""Hints of operators to the agent in a room: its process reads them when the room's metadata names a newer one.

They are on the call's timeline, so that an agent that takes another one's place has them, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from sessions.calls.models import Call, CallEvent
from sessions.calls.services import record_event
from sessions.rooms.models import RoomAgent

from .room_state import enqueue_room_state

KIND = "operator_hint"
MOST_HINTS = 10


@dataclass(frozen=True, slots=True)
class RoomHint:
    """`number` rises with each hint."""

    number: int
    text: str


def give_hint(call: Call, text: str, *, by: str) -> bool:
    """The agent has it within a second or two, and the room sees only its number. False if no agent is there."""
    with transaction.atomic():
        if not Call.objects.live().filter(pk=call.pk).exists() or not has_agent(call):
            return False
        record_event(call.pk, KIND, {"by": by, "text": text})
        enqueue_room_state(call)
    return True


def has_agent(call: Call) -> bool:
    return RoomAgent.objects.present().filter(call=call).exists()


def hints_after(call_id: UUID, number: int) -> Sequence[RoomHint]:
    """The last ones that are newer, oldest first."""
    events = CallEvent.objects.filter(call=call_id, kind=KIND, pk__gt=number).order_by("-pk")[:MOST_HINTS]
    return [RoomHint(event.pk, str(event.detail.get("text", ""))) for event in reversed(events)]
