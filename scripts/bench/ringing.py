"""The ringing round: calls ring, speak briefly and hang up while others are live."""

from __future__ import annotations

import asyncio
from array import array
from dataclasses import dataclass, field
from time import perf_counter

import httpx
from caller import Caller
from calls import Calls
from handshake import HandshakeRefused
from load import Conduct, Load, Sight, percentile
from webhook import WebhookRefused

RINGS_PER_S = 30
HOLD_S = 2.0
SETTLE_S = 2.0
LATE_S = 0.020
PLACES = 300  # for those who ring: many are still there when the next ones come


@dataclass(slots=True)
class Ringing(Conduct):
    """`window` is of the calls that were live all the time; `refused` and `ring_p99_ms` are of those that rang."""

    window: Sight = field(default_factory=Sight)
    frames_late: int = 0
    latest_ms: float = 0.0
    rung: int = 0
    refused: int = 0
    ring_p99_ms: float = 0.0
    clock_latest_ms: float = 0.0


async def play(load: Load) -> Ringing:
    seen = Ringing()
    live = max(load.plan.calls)
    async with load.open():
        await load.warm_up()
        async with Calls(load, live + PLACES) as calls:
            await calls.ring(live)
            await asyncio.sleep(SETTLE_S)
            rings = Rings(calls)
            ringing = asyncio.create_task(rings.run(load.plan.seconds))
            seen.window = await load.measure(calls, load.plan.seconds)
            seen.clock_latest_ms = max(calls.clock.lateness) * 1000
            await ringing
        seen.rung, seen.refused = rings.rung, rings.refused
        seen.ring_p99_ms = percentile(rings.seconds, 99) * 1000
        seen.frames_late = sum(delay > LATE_S for delay in load.delays)
        seen.latest_ms = max(load.delays) * 1000
        await load.sum_up(seen)
    return seen


class Rings:
    """Calls that ring on a schedule, whatever became of those before them."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self.rung = 0
        self.refused = 0
        self.seconds: array[float] = array("d")

    async def run(self, seconds: float) -> None:
        began_at = perf_counter()
        async with asyncio.TaskGroup() as ringing:
            while (due_s := self.rung / RINGS_PER_S) < seconds:
                await asyncio.sleep(began_at + due_s - perf_counter())
                self.rung += 1
                ringing.create_task(self._one())

    async def _one(self) -> None:
        began_at = perf_counter()
        try:
            caller = await self._calls.begin(Caller)
        except (WebhookRefused, HandshakeRefused, httpx.HTTPError):
            self.refused += 1
            return
        self.seconds.append(perf_counter() - began_at)
        await asyncio.sleep(HOLD_S)
        await self._calls.hang_up([caller])
