"""Notices that nobody says anything: first a question, then a goodbye."""

from __future__ import annotations

from sessions.calls.briefing import CallLimits

from .alarms import Alarm, Alarms


class CallerSilence:
    """Counts from the moment the line fell idle. Our own question does not count as speech."""

    def __init__(self, alarms: Alarms, limits: CallLimits) -> None:
        self._alarms = alarms
        self._limits = limits
        self._is_counting = False
        self._has_asked = False

    def caller_was_active(self) -> None:
        self._is_counting = self._has_asked = False
        self._alarms.cancel(Alarm.REPROMPT, Alarm.GOODBYE)

    def asked(self) -> None:
        """What is spoken now is our question: the silence goes on."""
        self._has_asked = True

    def update(self, now_ms: int, *, is_idle: bool) -> None:
        if is_idle and not self._is_counting:
            self._is_counting = True
            self._alarms.set(Alarm.REPROMPT, now_ms + self._limits.reprompt_after_ms)
            self._alarms.set(Alarm.GOODBYE, now_ms + self._limits.goodbye_after_ms)
        elif not is_idle and not self._has_asked:
            self.caller_was_active()
