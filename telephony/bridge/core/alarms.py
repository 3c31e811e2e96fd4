"""Deadlines of one call, checked against the shell's tick: one comparison while none is due."""

from __future__ import annotations

import enum

NEVER = 1 << 62
# The shell ticks ten times a second. A deadline that must not be early is set this much later.
TICK_MS = 100


class Alarm(enum.StrEnum):
    __hash__ = str.__hash__  # that of enumerations is a function in Python, called ten times per event

    CONNECT = "connect"
    RECOVER = "recover"
    ANSWER = "answer"
    TONE = "tone"
    STALL = "stall"
    FILLER = "filler"
    TOOL = "tool"
    REPROMPT = "reprompt"
    GOODBYE = "goodbye"
    FAREWELL = "farewell"
    LONGEST = "longest"
    ROLL_OVER = "roll_over"
    RETRY = "retry"
    RESPONSE = "response"
    SPEECH = "speech"
    TURN = "turn"
    TRUNCATION = "truncation"
    UPDATE = "update"
    THINKING = "thinking"


class Alarms:
    """At most one time per alarm. `next_ms` may be early (an alarm was canceled), never late."""

    __slots__ = ("_at_ms", "next_ms")

    def __init__(self) -> None:
        self._at_ms: dict[Alarm, int] = {}
        self.next_ms = NEVER

    def __contains__(self, alarm: Alarm) -> bool:
        return alarm in self._at_ms

    def set(self, alarm: Alarm, at_ms: int) -> None:
        self._at_ms[alarm] = at_ms
        self.next_ms = min(self.next_ms, at_ms)

    def hold(self, alarm: Alarm, at_ms: int, *, is_on: bool) -> None:
        """Set an alarm that is not set yet, or cancel it."""
        if not is_on:
            if alarm in self._at_ms:
                del self._at_ms[alarm]
        elif alarm not in self._at_ms:
            self.set(alarm, at_ms)

    def cancel(self, *alarms: Alarm) -> None:
        for alarm in alarms:
            self._at_ms.pop(alarm, None)

    def take_due(self, now_ms: int) -> list[Alarm]:
        """The alarms whose time has come, the earliest first. They are unset."""
        due = sorted((at_ms, alarm) for alarm, at_ms in self._at_ms.items() if at_ms <= now_ms)
        for _, alarm in due:
            del self._at_ms[alarm]
        self.next_ms = min(self._at_ms.values(), default=NEVER)
        return [alarm for _, alarm in due]
