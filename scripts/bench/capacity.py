"""The capacity round: the largest number of calls whose frames come in time, found by bisection."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import httpx
from calls import Calls
from handshake import HandshakeRefused
from load import Load, Sight
from progress import say
from webhook import WebhookRefused

FIRST, SECOND = 100, 200
STEP = 1.25
MOST = 800
FULL_CORE = 0.9
CLOSE_ENOUGH = 1.07
SETTLE_S = 1.0
WINDOW_S = 2.5
LATE_MS = 20.0
HOPELESS_MS = 60.0
MOST_CORE_USE = 0.8
MOST_TRIES = 3
NOISE = 0.1  # cores that other programs take


@dataclass(slots=True)
class Capacity:
    """`is_at_least`: more would have been possible, but the load's own core was full."""

    calls: int = 0
    cpu_ms_per_call_second: float = 0.0
    added_delay_p99_ms: float = 0.0
    core_use: float = 0.0
    elsewhere_use: float = 0.0
    is_at_least: bool = False
    probes: list[Sight] = field(default_factory=list)

    def cpu_ms_with(self, calls: int) -> float:
        """Per call-second, with fewer calls than it carries."""
        return next((probe.cpu_ms_per_call_second for probe in self.probes if probe.calls == calls), 0.0)


async def play(load: Load) -> Capacity:
    async with load.open():
        await load.warm_up()
        async with Calls(load, MOST) as calls:
            return await Search(load, calls).run()


class Search:
    """Guesses from what few calls cost, steps up until a number of calls is too much, and halves what lies between."""

    def __init__(self, load: Load, calls: Calls) -> None:
        self._load = load
        self._calls = calls
        self._found = Capacity()
        self._too_many = 2 * MOST  # not known yet

    async def run(self) -> Capacity:
        found = self._found
        if await self._is_good(FIRST) and await self._is_good(SECOND):
            await self._is_good(self._guess())
        while found.calls < MOST and self._too_many > max(found.calls * CLOSE_ENOUGH, found.calls + 2):
            is_open_above = self._too_many > MOST
            await self._is_good(self._step() if is_open_above else (found.calls + self._too_many) // 2)
        found.is_at_least |= found.calls == MOST
        return found

    def _step(self) -> int:
        return min(MOST, int(self._found.calls * STEP))

    def _guess(self) -> int:
        """How many calls fill the core at the price of the last ones: at least a step more."""
        seen = self._found.probes[-1:]
        if not seen or not seen[0].cpu_ms_per_call_second:
            return self._step()
        return max(self._step(), min(MOST, int(FULL_CORE * 1000 / seen[0].cpu_ms_per_call_second)))

    async def _is_good(self, number: int) -> bool:
        """Whether so many calls are carried. A noise of the machine is no limit: lateness is measured again."""
        for turn in range(MOST_TRIES):
            seen = await self._window(number)
            is_load_full = seen is not None and seen.core_use > MOST_CORE_USE
            if is_load_full:
                break
            if seen is not None and seen.is_flawless() and seen.added_delay_p99_ms < LATE_MS:
                self._take(seen)
                return True
            if turn and (seen is None or seen.elsewhere_use < NOISE):
                break
            if seen is not None and seen.added_delay_p99_ms > HOPELESS_MS:
                break
        self._too_many = number
        self._found.is_at_least = is_load_full
        return False

    def _take(self, seen: Sight) -> None:
        found = self._found
        found.calls = seen.calls
        found.cpu_ms_per_call_second = seen.cpu_ms_per_call_second
        found.added_delay_p99_ms = seen.added_delay_p99_ms
        found.core_use = seen.core_use
        found.elsewhere_use = seen.elsewhere_use

    async def _window(self, number: int) -> Sight | None:
        """None if so many calls were not even accepted."""
        calls = self._calls
        calls.forget_the_dead()
        try:
            await calls.hang_up(calls.live[number:])
            await calls.ring(number - len(calls.live))
        except (WebhookRefused, HandshakeRefused, httpx.HTTPError):
            return None
        await asyncio.sleep(SETTLE_S)
        lost = self._lost()
        seen = await self._load.measure(calls, WINDOW_S)
        seen.faults.lost = self._lost() - lost
        seen.calls_failed = sum(not caller.is_open for caller in calls.live)
        self._found.probes.append(seen)
        say(f"{seen.calls} calls: p99 {seen.added_delay_p99_ms:.0f} ms, load's core {seen.core_use:.0%}")
        return seen

    def _lost(self) -> int:
        """Frames that were overtaken, so far: those under way are only late."""
        return sum(caller.checker.faults(0).total() for caller in self._calls.live)
