"""Commands to the process that carries a call, from any process: notes and hints for its agent, hang up, hand over."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from voiceapp.core.batches import delete_in_batches

from .models import LIVE_STATES, Call, CallCommand, CallState

LONGEST_TEXT = 300
# The table is nearly always empty: a command waits for a quarter of a second.
MOST_WAITING = 500

Kind = CallCommand.Kind


@dataclass(frozen=True, slots=True)
class Command:
    """One that was taken."""

    call_id: UUID
    kind: Kind
    text: str


def leave_note(call_id: UUID, text: str) -> bool:
    """Have the agent tell the caller this, if the call is still live: also once it is back from a transfer."""
    return _leave(call_id, Kind.NOTE, text, wanted=Q(state__in=LIVE_STATES))


def leave_command(call_id: UUID, kind: Kind, text: str = "") -> bool:
    """For the process that carries the call, which takes it at once. False if none does."""
    return _leave(call_id, kind, text, wanted=Q(state=CallState.CONNECTED) & ~Q(process=""))


def _leave(call_id: UUID, kind: Kind, text: str, *, wanted: Q) -> bool:
    if not Call.objects.filter(wanted, pk=call_id).exists():
        return False
    CallCommand.objects.create(call_id=call_id, kind=kind, text=text[:LONGEST_TEXT])
    return True


def waiting_commands() -> list[tuple[int, UUID]]:
    """Number and call of those that nobody has taken yet, whoever carries the calls."""
    return list(CallCommand.objects.order_by("id").values_list("pk", "call_id")[:MOST_WAITING])


def take_commands(numbers: Collection[int]) -> Sequence[Command]:
    """Those of these that nobody has taken meanwhile, in order. Each is returned once."""
    taken = []
    for command in CallCommand.objects.filter(pk__in=numbers).order_by("id"):
        # Of two processes one deletes it.
        if CallCommand.objects.filter(pk=command.pk).delete()[0]:
            taken.append(Command(command.call_id, Kind(command.kind), command.text))
    return taken


def purge_commands() -> int:
    """Those of calls that ended before they were taken. Returns how many."""
    return delete_in_batches(CallCommand.objects.exclude(call__state__in=LIVE_STATES))
