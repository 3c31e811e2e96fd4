"""A caller does not want to be recorded: carried out by the app of recordings, which is a layer above this one."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from .outcomes import RecordingEnd


class DeclinedBy(enum.StrEnum):
    """How the caller said so."""

    KEY = "key"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class Declined:
    """`say`: a sentence for the caller. `recording` is None if nothing could be done: `say` then says why."""

    say: str
    recording: RecordingEnd | None = None


Decline = Callable[[UUID, DeclinedBy], Declined]

_decline: list[Decline] = []


def register(decline: Decline) -> None:
    """Named once, when the app of recordings is ready."""
    _decline[:] = [decline]


def decline_recording(call_id: UUID, *, by: DeclinedBy) -> Declined:
    """Stop the recording of the call, and delete what was recorded of it. In the caller's transaction. Safe to repeat.

    What a provider has is deleted there by a worker.
    """
    return _decline[0](call_id, by)
