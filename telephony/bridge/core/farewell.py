"""The end of a call that was decided and waits to be heard."""

from __future__ import annotations

from dataclasses import dataclass

from sessions.calls.end_reasons import EndReason

from .actions import FollowUp
from .alarms import Alarm, Alarms

# A farewell that is not even spoken within this is not waited for.
GUARD_MS = 15_000
# The estimate of what is still to be heard may be this wrong.
SLACK_MS = 2_000


@dataclass(frozen=True, slots=True)
class Ending:
    """Firm: the call ends even if the caller speaks into the farewell."""

    reason: EndReason
    follow_up: FollowUp
    is_firm: bool = False


class Farewell:
    """At most one ending at a time. The alarm FAREWELL goes off when waiting for it has no more sense."""

    def __init__(self, alarms: Alarms) -> None:
        self._alarms = alarms
        self._is_bounded = False
        self.ending: Ending | None = None

    def begin(self, now_ms: int, ending: Ending) -> None:
        self.ending = ending
        self._is_bounded = False
        self._alarms.set(Alarm.FAREWELL, now_ms + GUARD_MS)

    def caller_was_active(self) -> bool:
        """Who speaks into a farewell has not finished. Returns whether one was given up."""
        if self.ending is None or self.ending.is_firm:
            return False
        self.ending = None
        self._alarms.cancel(Alarm.FAREWELL)
        return True

    def was_heard(self, now_ms: int, *, more_is_due: bool, outstanding_ms: int) -> bool:
        """Whether the call may end now. Once all of the farewell is here, its end is near and the wait is bounded."""
        if self.ending is None or more_is_due:
            return False
        if not outstanding_ms:
            return True
        if not self._is_bounded:
            self._is_bounded = True
            self._alarms.set(Alarm.FAREWELL, now_ms + outstanding_ms + SLACK_MS)
        return False
