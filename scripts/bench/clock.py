"""The steady clock of all callers: their frames are spread evenly over each 20 ms, never sent in one burst."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Sequence
from time import perf_counter
from typing import Protocol

from frames import FRAME_MS

TICK_S = 0.001


class Speaker(Protocol):
    is_speaking: bool

    def speak(self) -> None: ...


class FrameClock:
    """Slot k belongs to caller k modulo their number and is due k·(20 ms / callers) after the start."""

    def __init__(self, speakers: Sequence[Speaker]) -> None:
        self._speakers = speakers
        self._slot_s = FRAME_MS / 1000 / len(speakers)
        self._is_running = True
        self.lateness: array[float] = array("d")

    def stop(self) -> None:
        self._is_running = False

    async def run(self) -> None:
        """Ticks every millisecond until stopped at the end of a round of slots, so that all spoke equally often."""
        speakers, slot_s, began_at = self._speakers, self._slot_s, perf_counter()
        slot = 0
        while self._is_running or slot % len(speakers):
            now = perf_counter()
            while began_at + slot * slot_s <= now:
                self.lateness.append(now - began_at - slot * slot_s)
                speaker = speakers[slot % len(speakers)]
                if speaker.is_speaking:
                    speaker.speak()
                slot += 1
            await asyncio.sleep(TICK_S)
