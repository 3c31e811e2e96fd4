"""What a call asks of its shell and tells it, in order."""

from __future__ import annotations

from sessions.calls.facts import Fact, SomethingHappened

from .actions import Action, Record
from .stream_clock import StreamClock


class Timeline:
    """The shell swaps `actions` for an empty list."""

    def __init__(self, clock: StreamClock) -> None:
        self._clock = clock
        self.actions: list[Action] = []

    def act(self, action: Action) -> None:
        self.actions.append(action)

    def record(self, fact: Fact) -> None:
        self.actions.append(Record(fact))

    def happened(self, kind: str, **detail: str | int | None) -> None:
        """A line of the call's timeline. Never the caller's words."""
        self.record(SomethingHappened(kind, self._clock.now_ms, detail))
