"""The people of a call's room as its page shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sessions.calls.models import Call
from sessions.rooms.models import Participant


@dataclass(frozen=True, slots=True)
class PersonInRoom:
    """`role` is what their pass says, else what LiveKit says they are."""

    participant: Participant
    role: str


def people_in_room(call: Call) -> Sequence[PersonInRoom]:
    """In the order in which they were heard of; two queries, and one where nobody was."""
    present = list(call.participants.all())
    roles = {each.identity: each.get_role_display() for each in call.room_passes.all()} if present else {}
    return [PersonInRoom(each, roles.get(each.identity, each.get_kind_display())) for each in present]
