"""What follows a response that was not heard: the one place where the steps and their limits are defined.

| error class | first time | second time | third time |
|---|---|---|---|
| again | the same request | in other words | the fallback |
| our bug | in other words | the fallback | |
| wait | the same request, after the wait | the same | the same |
| give up | the fallback | | |

The wait is the one that the provider names; where it names none, there is none at first, then 1, 2, 4, ... s.
A wait is given up by time: when it would end later than `GIVE_UP_AFTER_MS` after the first failure in a row. An answer
that is heard ends the row, and so does `QUIET_MS` without another failure.
"""

from __future__ import annotations

from sessions.calls.briefing import Phrases

from .alarms import TICK_MS, Alarm, Alarms
from .events import ErrorClass, Purpose, ResponseEnded
from .ports import AgentDialect

GIVE_UP_AFTER_MS = 30_000
QUIET_MS = 15_000
FIRST_PAUSE_MS = 1_000
MOST_REPAIRS = 2  # once more, then in other words


class Retries:
    """`repair` after each response that was not heard; the alarm RETRY goes off when a wait is over."""

    __slots__ = (
        "_agent",
        "_alarms",
        "_began_ms",
        "_ends_ms",
        "_failures",
        "_pending",
        "_phrases",
        "_waits",
    )

    def __init__(self, agent: AgentDialect, phrases: Phrases, *, alarms: Alarms) -> None:
        self._agent = agent
        self._phrases = phrases
        self._alarms = alarms
        self._failures = 0
        self._waits = 0
        self._began_ms = 0
        self._ends_ms = -QUIET_MS - 1
        self._pending: ResponseEnded | None = None

    def change_agent(self, agent: AgentDialect) -> None:
        self._agent = agent

    @property
    def is_waiting(self) -> bool:
        """A request is held back until the provider can take it."""
        return self._pending is not None

    def heard(self) -> None:
        """The agent was heard: forget earlier failures."""
        self._failures = self._waits = 0
        self._ends_ms = -QUIET_MS - 1

    def forget(self, *purposes: Purpose) -> None:
        """Drop the waiting request if it has one of these purposes."""
        if self._pending is not None and self._pending.purpose in purposes:
            self._pending = None
            self._alarms.cancel(Alarm.RETRY)

    def repair(self, now_ms: int, ended: ResponseEnded) -> bool:
        """Take the next step. Returns False when there is none left."""
        if now_ms > self._ends_ms + QUIET_MS:
            self.heard()
            self._began_ms = now_ms
        self._ends_ms = now_ms
        match ended.error:
            case ErrorClass.GIVE_UP:
                return False
            case ErrorClass.WAIT:
                return self._wait(now_ms, ended)
            case ErrorClass.OUR_BUG:
                self._failures = max(self._failures + 1, MOST_REPAIRS)
            case ErrorClass.AGAIN:  # pragma: no branch - the last one
                self._failures += 1
        if self._failures > MOST_REPAIRS:
            return False
        if not ended.is_followed:
            self._request(ended, in_other_words=self._failures == MOST_REPAIRS)
        return True

    def wait_is_over(self) -> None:
        """The alarm RETRY went off."""
        pending, self._pending = self._pending, None
        if pending is not None:
            self._request(pending, in_other_words=False)

    def _wait(self, now_ms: int, ended: ResponseEnded) -> bool:
        self._waits += 1
        pause_ms = ended.wait_ms
        if pause_ms is None:
            pause_ms = 0 if self._waits == 1 else FIRST_PAUSE_MS * 2 ** min(self._waits - 2, 5)
        self._ends_ms = now_ms + pause_ms
        if self._ends_ms > self._began_ms + GIVE_UP_AFTER_MS:
            return False
        if ended.is_followed:
            return True
        if pause_ms == 0:
            self._request(ended, in_other_words=False)
        else:
            self._pending = ended
            self._alarms.set(Alarm.RETRY, self._ends_ms + TICK_MS)
        return True

    def _request(self, ended: ResponseEnded, *, in_other_words: bool) -> None:
        if not in_other_words:
            self._agent.respond(ended.purpose, ended.say)
        elif ended.say and ended.purpose is not Purpose.MISSED:
            self._agent.respond(ended.purpose, ended.say, in_other_words=True)
        else:
            self._agent.respond(Purpose.MISSED, self._phrases.missed, in_other_words=ended.purpose is Purpose.MISSED)
