"""The clock of time-outs. It runs in real time and can be advanced."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable


class Timer:
    def __init__(self, due_s: float, act: Callable[[], None]) -> None:
        self.due_s, self.act, self.is_canceled = due_s, act, False

    def cancel(self) -> None:
        self.is_canceled = True


class Clock:
    def __init__(self) -> None:
        self._ahead_s = 0.0
        self._order = itertools.count()
        self._timers: list[tuple[float, int, Timer]] = []
        self._wake_up: asyncio.TimerHandle | None = None

    @property
    def now_s(self) -> float:
        return time.monotonic() + self._ahead_s

    def call_later(self, delay_s: float, act: Callable[[], None]) -> Timer:
        timer = Timer(self.now_s + delay_s, act)
        heapq.heappush(self._timers, (timer.due_s, next(self._order), timer))
        self._set_wake_up()
        return timer

    def advance(self, seconds: float) -> None:
        """Act as if so much time had passed: everything due by then happens now, in order."""
        until_s = self.now_s + seconds
        while self._timers and self._timers[0][0] <= until_s:
            self._ahead_s += max(0.0, self._timers[0][0] - self.now_s)
            self._act()
        self._ahead_s += max(0.0, until_s - self.now_s)

    def stop(self) -> None:
        self._timers.clear()
        self._set_wake_up()

    def _act(self) -> None:
        _, _, timer = heapq.heappop(self._timers)
        if not timer.is_canceled:
            timer.act()
        self._set_wake_up()

    def _act_on_due(self) -> None:
        while self._timers and self._timers[0][0] <= self.now_s:
            self._act()
        self._set_wake_up()

    def _set_wake_up(self) -> None:
        if self._wake_up:
            self._wake_up.cancel()
            self._wake_up = None
        if self._timers:
            delay_s = max(0.0, self._timers[0][0] - self.now_s)
            self._wake_up = asyncio.get_running_loop().call_later(delay_s, self._act_on_due)
