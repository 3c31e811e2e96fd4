"""Silence: of the caller (a question, then a goodbye), and of the provider while something is due."""

from __future__ import annotations

from sessions.calls.briefing import CallLimits

from .alarms import Alarm, Alarms


class CallerSilence:
    """Counts from when the line fell idle. Our own question does not count as speech."""

    __slots__ = (
        "_alarms",
        "_has_prompted",
        "_is_counting",
        "_limits",
    )

    def __init__(self, alarms: Alarms, limits: CallLimits) -> None:
        self._alarms = alarms
        self._limits = limits
        self._is_counting = False
        self._has_prompted = False

    def caller_was_active(self) -> None:
        self._is_counting = self._has_prompted = False
        self._alarms.cancel(Alarm.REPROMPT, Alarm.GOODBYE)

    def prompted(self) -> None:
        """The agent now speaks our question: the silence continues."""
        self._has_prompted = True

    def update(self, now_ms: int, *, is_idle: bool) -> None:
        if is_idle and not self._is_counting:
            self._is_counting = True
            self._alarms.set(Alarm.REPROMPT, now_ms + self._limits.reprompt_after_ms)
            self._alarms.set(Alarm.GOODBYE, now_ms + self._limits.goodbye_after_ms)
        elif not is_idle and not self._has_prompted:
            self.caller_was_active()


TONE_AFTER_MS = 2_500
TONE_AFTER_LOSS_MS = 1_000
TONE_EVERY_MS = 2_000
LOOK_AGAIN_MS = 500
STALL_AFTER_MS = 8_000


class ResponseWait:
    """`update` says which side is waited for; the alarms TONE and STALL go off when the wait is too long."""

    __slots__ = (
        "_alarms",
        "_due_since_ms",
        "_quiet_until_ms",
    )

    def __init__(self, alarms: Alarms) -> None:
        self._alarms = alarms
        self._quiet_until_ms = 0
        self._due_since_ms = 0

    def update(self, now_ms: int, *, caller_waits: bool, provider_is_due: bool) -> None:
        if not caller_waits:
            self._alarms.cancel(Alarm.TONE)
        elif Alarm.TONE not in self._alarms:
            self._wait_until(now_ms + TONE_AFTER_MS)
        if not provider_is_due:
            self._alarms.cancel(Alarm.STALL)
        elif Alarm.STALL not in self._alarms:
            self._due_since_ms = now_ms
            self._alarms.set(Alarm.STALL, now_ms + STALL_AFTER_MS)

    def link_lost(self, now_ms: int) -> None:
        self._wait_until(now_ms + TONE_AFTER_LOSS_MS)

    def tone_is_due(self, now_ms: int, *, is_quiet: bool) -> bool:
        """The alarm went off: whether to play a tone now. Sets the next one."""
        if not is_quiet:
            self._quiet_until_ms = now_ms + TONE_AFTER_MS
            self._alarms.set(Alarm.TONE, now_ms + LOOK_AGAIN_MS)
            return False
        if now_ms < self._quiet_until_ms:
            self._alarms.set(Alarm.TONE, self._quiet_until_ms)
            return False
        self._wait_until(now_ms + TONE_EVERY_MS)
        return True

    def has_stalled(self, now_ms: int, *, last_frame_ms: int) -> bool:
        """The alarm went off: whether the provider has really sent nothing for so long. If not, it is set again."""
        stalls_ms = max(last_frame_ms, self._due_since_ms) + STALL_AFTER_MS
        if now_ms >= stalls_ms:
            return True
        self._alarms.set(Alarm.STALL, stalls_ms)
        return False

    def _wait_until(self, at_ms: int) -> None:
        self._quiet_until_ms = at_ms
        self._alarms.set(Alarm.TONE, at_ms)
