"""One clock for all lines of the process: a tick every 20 ms, without drift; missed ticks are made up."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable

from voiceapp.simulators.twilio.frames import FRAME_MS

Tick = Callable[[], None]

#: Real calls are not synchronized: the lines are spread over so many points within the 20 ms.
_PHASES = 4
_STEP_S = FRAME_MS / 1000 / _PHASES

logger = logging.getLogger(__name__)


class Ticker:
    """Calls each added function once per 20 ms. Runs only while there is one."""

    def __init__(self) -> None:
        self._phases: list[list[Tick]] = [[] for _ in range(_PHASES)]
        self._timer: asyncio.TimerHandle | None = None
        self._origin_s = 0.0
        self._step = 0
        self.latest_s = 0.0  # how late the worst step was, since the start

    def add(self, tick: Tick) -> None:
        min(self._phases, key=len).append(tick)
        if self._timer is None:
            self._start()

    def remove(self, tick: Tick) -> None:
        for phase in self._phases:
            if tick in phase:
                phase.remove(tick)

    def stop(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _start(self) -> None:
        loop = asyncio.get_running_loop()
        self._origin_s, self._step = loop.time(), 0
        self._timer = loop.call_at(self._origin_s + _STEP_S, self._run)

    def _run(self) -> None:
        if not any(self._phases):
            self._timer = None
            return
        loop = asyncio.get_running_loop()
        late_s = loop.time() - (self._origin_s + (self._step + 1) * _STEP_S)
        self.latest_s = max(self.latest_s, late_s)
        # A stall is made up at once: the audio of a phone line does not wait.
        for _ in itertools.repeat(None, max(1, int(late_s / _STEP_S) + 1)):
            self._step += 1
            for tick in tuple(self._phases[self._step % _PHASES]):
                self._guarded(tick)
        self._timer = loop.call_at(self._origin_s + (self._step + 1) * _STEP_S, self._run)

    def _guarded(self, tick: Tick) -> None:
        try:
            tick()
        except Exception:
            # One line must not stop the clock of the others.
            logger.exception("a line failed and was removed from the clock")
            self.remove(tick)
