"""Keeps the link to the provider: how long and how often it is tried before the call falls back."""

from __future__ import annotations

from collections.abc import Callable

from .actions import CloseLink, OpenLink
from .alarms import TICK_MS, Alarm, Alarms

TRIES = 2
FIRST_MS = 6_000
AGAIN_MS = 4_000
PAUSE_MS = 300
# A wait that the provider names is kept to, where the link can be there within this time after it was needed.
NAMED_WAITS_FOR_MS = 12_000
# What a try gets after such a wait, at the least.
TRY_MS = 2_000
# A link that was recovered and is lost again this soon is not worth a third one.
STEADY_AFTER_MS = 30_000


class LinkKeeper:
    """One effort after the other: each has its time in all, and two tries in it."""

    def __init__(self, alarms: Alarms, act: Callable[[OpenLink | CloseLink], None]) -> None:
        self._alarms = alarms
        self._act = act
        self._tries_left = TRIES - 1
        self._began_ms = 0
        self._ends_ms = FIRST_MS
        self._is_trying = True
        self._is_recovering = False
        self._recovered_ms: int | None = None
        act(OpenLink())

    def clock_started(self, now_ms: int) -> None:
        """The first link was asked for before anyone told the time."""
        if self._is_trying:
            self._began_ms = now_ms
            self._ends_ms = now_ms + FIRST_MS
            self._alarms.set(Alarm.CONNECT, now_ms + FIRST_MS // TRIES)

    def ready(self, now_ms: int) -> None:
        if self._is_recovering:
            self._recovered_ms = now_ms
        self._is_trying = self._is_recovering = False
        self._alarms.cancel(Alarm.CONNECT, Alarm.RECOVER)

    def renew(self, now_ms: int) -> None:
        """Replace a link that works, before its session ends."""
        self._act(CloseLink())
        self._begin(now_ms, AGAIN_MS)

    def lost(self, now_ms: int, *, wait_ms: int | None = None) -> bool:
        """Try again if that is worth it, not before the wait is over. Returns False when it is not."""
        if not self._is_trying:
            if self._recovered_ms is not None and now_ms - self._recovered_ms < STEADY_AFTER_MS:
                return False
            self._is_recovering = True
            if wait_ms is None:
                self._begin(now_ms, AGAIN_MS)
                return True
            self._prepare(now_ms, AGAIN_MS)
        self._alarms.cancel(Alarm.CONNECT)
        if wait_ms is not None:
            return self._wait(now_ms, wait_ms)
        if not self._tries_left or now_ms + PAUSE_MS >= self._ends_ms:
            return False
        self._alarms.set(Alarm.RECOVER, now_ms + PAUSE_MS)
        return True

    def try_again(self, now_ms: int) -> None:
        """The pause is over."""
        self._alarms.set(Alarm.CONNECT, now_ms + (self._ends_ms - now_ms) // self._tries_left)
        self._tries_left -= 1
        self._act(OpenLink())

    def try_took_too_long(self, now_ms: int) -> bool:
        """Returns False when there is no time for another one."""
        self._act(CloseLink())
        if not self._tries_left:
            return False
        self.try_again(now_ms)
        return True

    def _begin(self, now_ms: int, lasts_ms: int) -> None:
        self._prepare(now_ms, lasts_ms)
        self.try_again(now_ms)

    def _prepare(self, now_ms: int, lasts_ms: int) -> None:
        self._is_trying = True
        self._tries_left = TRIES
        self._began_ms = now_ms
        self._ends_ms = now_ms + lasts_ms

    def _wait(self, now_ms: int, wait_ms: int) -> bool:
        """A try that was put off by the provider is not one that failed: only the time counts."""
        again_ms = now_ms + max(wait_ms + TICK_MS, PAUSE_MS)
        if again_ms + TRY_MS > self._began_ms + NAMED_WAITS_FOR_MS:
            return False
        self._tries_left = max(self._tries_left, 1)
        self._ends_ms = max(self._ends_ms, again_ms + TRY_MS)
        self._alarms.set(Alarm.RECOVER, again_ms)
        return True
