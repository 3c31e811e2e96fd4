"""When the agent of a room asks a silent caller, says goodbye and leaves: the phone's rules, on the room's clock."""

from __future__ import annotations

import enum

from sessions.calls.briefing import CallLimits
from sessions.calls.end_reasons import EndReason
from telephony.bridge.core.actions import HangUp
from telephony.bridge.core.alarms import Alarm, Alarms
from telephony.bridge.core.farewell import Ending, Farewell
from telephony.bridge.core.silence import LOOK_AGAIN_MS, CallerSilence


class Due(enum.Enum):
    """What the time requires."""

    REPROMPT = enum.auto()
    SILENCE_GOODBYE = enum.auto()
    TIME_GOODBYE = enum.auto()
    LEAVE = enum.auto()


class RoomDeadlines:
    """No clock: `passes` brings the time since the agent began, several times a second.

    `since_ms`: how long the call has lasted by then, where the agent takes the place of another one.
    """

    def __init__(self, limits: CallLimits, *, since_ms: int) -> None:
        self._alarms = Alarms()
        self._silence = CallerSilence(self._alarms, limits)
        self._farewell = Farewell(self._alarms)
        self._now_ms = 0
        self._alarms.set(Alarm.LONGEST, limits.longest_call_ms - since_ms)

    @property
    def ending(self) -> EndReason | None:
        """Why the agent is about to leave."""
        return self._farewell.ending.reason if self._farewell.ending else None

    @property
    def is_firm(self) -> bool:
        """It leaves whatever the caller says."""
        return self._farewell.ending is not None and self._farewell.ending.is_firm

    def leave_after_farewell(self, reason: EndReason, *, is_firm: bool = False) -> None:
        self._farewell.begin(self._now_ms, Ending(reason, HangUp(), is_firm=is_firm))

    def caller_was_active(self) -> bool:
        """Who speaks into the farewell has not finished. Returns whether the agent stays for that reason."""
        self._silence.caller_was_active()
        return self._farewell.caller_was_active()

    def passes(
        self, now_ms: int, *, agent_is_busy: bool, caller_is_speaking: bool, minds_silence: bool = True
    ) -> Due | None:
        """Busy: it speaks, is about to, or runs a tool. At most one thing is due at a time."""
        self._now_ms = now_ms
        is_idle = not (agent_is_busy or caller_is_speaking)
        for alarm in self._alarms.take_due(now_ms):
            due = self._went_off(alarm, is_idle=is_idle)
            if due is not None:
                return due
        if self._farewell.ending is not None:
            is_heard = self._farewell.was_heard(now_ms, more_is_due=agent_is_busy, outstanding_ms=0)
            return Due.LEAVE if is_heard else None
        if minds_silence:
            self._silence.update(now_ms, is_idle=is_idle)
        else:
            self._silence.caller_was_active()
        return None

    def _went_off(self, alarm: Alarm, *, is_idle: bool) -> Due | None:
        match alarm:
            case Alarm.LONGEST:
                self.leave_after_farewell(EndReason.TOO_LONG, is_firm=True)
                return Due.TIME_GOODBYE
            case Alarm.FAREWELL:
                return Due.LEAVE
            case Alarm.REPROMPT if self._farewell.ending is None:
                self._silence.prompted()
                return Due.REPROMPT
            case Alarm.GOODBYE if self._farewell.ending is None:
                if is_idle:
                    self.leave_after_farewell(EndReason.CALLER_SILENT)
                    return Due.SILENCE_GOODBYE
                self._alarms.set(Alarm.GOODBYE, self._now_ms + LOOK_AGAIN_MS)
        return None
