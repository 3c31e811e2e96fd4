"""Notes for the agent of a live call: what became known after a tool has answered, and the caller should hear."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from .models import LIVE_STATES, Call, CallNote

LONGEST_NOTE = 300


def leave_note(call_id: UUID, text: str) -> bool:
    """Leave the agent a note, if the call is still live. The process that carries the call takes it within seconds."""
    if not Call.objects.filter(pk=call_id, state__in=LIVE_STATES).exists():
        return False
    CallNote.objects.create(call_id=call_id, text=text[:LONGEST_NOTE])
    return True


def take_notes(call_ids: Collection[UUID]) -> dict[UUID, list[str]]:
    """The notes of these calls that nobody has taken yet, in order. Each is returned once."""
    taken: defaultdict[UUID, list[str]] = defaultdict(list)
    for note in CallNote.objects.filter(call_id__in=call_ids).order_by("id"):
        # Of two processes one deletes it.
        if CallNote.objects.filter(pk=note.pk).delete()[0]:
            taken[note.call_id].append(note.text)
    return dict(taken)
