"""Garbage collection beside live calls.

A full collection visits every object of every call, and no frame leaves meanwhile: 15 to 40 ms with 200 calls. Python
runs one whenever a quarter has been added, so every other second where many calls ring. What ended calls leave is worth
no pause until it is much.
"""

from __future__ import annotations

import gc

# So many ended calls leave about 20 MB. Pages and the API leave something, too.
CALLS = 500
AFTER_S = 300.0
NEVER = 1_000_000_000


class GarbageCollection:
    """Of a process that serves calls, and whose modules are frozen already."""

    def __init__(self) -> None:
        self._usual = gc.get_threshold()
        self._ended_calls = 0
        self._due_at = 0.0

    def first_call_began(self, now: float) -> None:
        """From now on younger objects alone are collected by themselves."""
        gc.set_threshold(*self._usual[:2], NEVER)
        self._start_anew(now)

    def call_ended(self) -> None:
        self._ended_calls += 1

    def tick(self, now: float) -> None:
        if self._ended_calls >= CALLS or now >= self._due_at:
            gc.collect()
            self._start_anew(now)

    def last_call_ended(self) -> None:
        """No audio waits."""
        gc.set_threshold(*self._usual)

    def _start_anew(self, now: float) -> None:
        self._ended_calls = 0
        self._due_at = now + AFTER_S
