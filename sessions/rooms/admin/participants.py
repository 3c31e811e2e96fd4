"""The participants of a call's room as its page shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sessions.calls.models import Call
from sessions.rooms.models import Participant


@dataclass(frozen=True, slots=True)
class ShownParticipant:
    """`role` is that of their token, else the kind that LiveKit reports. A phone is named by its number."""

    participant: Participant
    role: str
    name: str


def shown_participants(call: Call, *, sees: bool) -> Sequence[ShownParticipant]:
    """In the order in which they became known, with whole numbers if the user `sees` them; at most two queries."""
    present = list(call.participants.all())
    roles = {each.identity: each.get_role_display() for each in call.room_tokens.all()} if present else {}
    return [
        ShownParticipant(each, roles.get(each.identity, each.get_kind_display()), each.known_as if sees else str(each))
        for each in present
    ]
