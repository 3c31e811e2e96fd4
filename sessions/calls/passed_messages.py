"""What a browser's page says, passed on by the server process with its socket to the one that carries the call."""

from __future__ import annotations

from uuid import UUID

from voiceapp.core.batches import delete_in_batches

from .models import LIVE_STATES, Call, CallState, PassedMessage

MOST_WAITING = 20
LONGEST_TEXT = 500

Kind = PassedMessage.Kind


def pass_message(call_id: UUID, kind: Kind, text: str = "") -> bool:
    """The process that carries the call takes it within a second. False if none does, or too many wait already."""
    carried = Call.objects.filter(pk=call_id, state=CallState.CONNECTED).exclude(process="")
    is_full = PassedMessage.objects.filter(call_id=call_id).count() >= MOST_WAITING
    if not carried.exists() or (is_full and kind is not Kind.MOVED):
        return False
    PassedMessage.objects.create(call_id=call_id, kind=kind, text=text[:LONGEST_TEXT])
    return True


def take_messages(call_id: UUID) -> list[tuple[Kind, str]] | None:
    """Those of the call that nobody has taken yet, in order. Each is returned once. None: the call is over."""
    if not Call.objects.filter(pk=call_id, state__in=LIVE_STATES).exists():
        return None
    taken: list[tuple[Kind, str]] = []
    for message in PassedMessage.objects.filter(call_id=call_id).order_by("id"):
        if PassedMessage.objects.filter(pk=message.pk).delete()[0]:
            taken.append((Kind(message.kind), message.text))
    return taken


def purge_passed_messages() -> int:
    """Those of calls that ended before they were taken. Returns how many."""
    return delete_in_batches(PassedMessage.objects.exclude(call__state__in=LIVE_STATES))
