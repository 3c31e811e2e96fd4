"""The steady clock of all callers: their frames are spread evenly over each 20 ms, never sent in one burst."""

from __future__ import annotations

import asyncio
import os
from array import array
from collections.abc import Sequence
from time import perf_counter
from typing import Protocol

from frames import FRAME_MS
from interval_timer import forget_ticks, interval_timer

SHORTEST_TICK_S = 0.0005  # each costs as much as a frame


class Speaker(Protocol):
    is_speaking: bool

    def speak(self) -> None: ...


class FrameClock:
    """Slot k belongs to caller k modulo their number and is due k·(20 ms / callers) after the start."""

    def __init__(self, speakers: Sequence[Speaker]) -> None:
        self._speakers = speakers
        self._slot_s = FRAME_MS / 1000 / len(speakers)
        self._slot = 0
        self._is_stopping = False
        self.lateness: array[float] = array("d")

    def stop(self) -> None:
        """Ends `run` after the round of slots that has begun, so that all spoke equally often."""
        self._is_stopping = True

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        self._ended = loop.create_future()
        timer = interval_timer(max(self._slot_s, SHORTEST_TICK_S))
        self._began_at = perf_counter()
        loop.add_reader(timer, self._tick, timer)
        try:
            await self._ended
        finally:
            loop.remove_reader(timer)
            os.close(timer)

    def _tick(self, timer: int) -> None:
        forget_ticks(timer)
        speakers, now = self._speakers, perf_counter()
        while (late_s := now - self._began_at - self._slot * self._slot_s) >= 0:
            turn = self._slot % len(speakers)
            if self._is_stopping and turn == 0:
                if not self._ended.done():
                    self._ended.set_result(None)
                return
            self.lateness.append(late_s)
            if speakers[turn].is_speaking:
                speakers[turn].speak()
            self._slot += 1
