"""The end of a call that is decided, and waits until the caller has heard the farewell."""

from __future__ import annotations

from dataclasses import dataclass

from sessions.calls.end_reasons import EndReason

from .actions import FollowUp
from .alarms import Alarm, Alarms

# The call ends without a farewell that has not begun within this time.
GUARD_MS = 15_000
# The estimate of the audio not yet played may be wrong by this much.
SLACK_MS = 2_000


@dataclass(frozen=True, slots=True)
class Ending:
    """Firm: the call ends even if the caller speaks into the farewell."""

    reason: EndReason
    follow_up: FollowUp
    is_firm: bool = False


class Farewell:
    """At most one ending at a time. The alarm FAREWELL goes off when the farewell has taken too long."""

    __slots__ = (
        "_alarms",
        "_is_bounded",
        "ending",
    )

    def __init__(self, alarms: Alarms) -> None:
        self._alarms = alarms
        self._is_bounded = False
        self.ending: Ending | None = None

    def begin(self, now_ms: int, ending: Ending) -> None:
        self.ending = ending
        self._is_bounded = False
        self._alarms.set(Alarm.FAREWELL, now_ms + GUARD_MS)

    def caller_was_active(self) -> bool:
        """A caller who speaks into the farewell has not finished. Returns whether an ending was canceled."""
        if self.ending is None or self.ending.is_firm:
            return False
        self.ending = None
        self._alarms.cancel(Alarm.FAREWELL)
        return True

    def was_heard(self, now_ms: int, *, more_is_due: bool, outstanding_ms: int) -> bool:
        """Whether the call may end now. Once all of the farewell has arrived, the wait is bounded by its length."""
        if self.ending is None or more_is_due:
            return False
        if not outstanding_ms:
            return True
        if not self._is_bounded:
            self._is_bounded = True
            self._alarms.set(Alarm.FAREWELL, now_ms + outstanding_ms + SLACK_MS)
        return False
