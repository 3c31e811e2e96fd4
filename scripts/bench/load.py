"""Plays the callers and the provider of a process under test, in one process on one core, and prints what it saw.

python scripts/bench/load.py '{"pid": …, "provider_port": …, "stream": "ws://…"}'
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from time import perf_counter, process_time

import httpx
import uvloop
from caller import Caller
from clock import FrameClock
from connection import Sockets
from frames import Faults
from processes import cpu_s, machine_busy_s, memory_kb
from provider import LoadProvider
from webhook import ACCOUNT_SID, StreamAddress, Webhook

# Enough short calls for every thread and cache to have done its first work, but few at a time: memory that many calls
# at once had needed would stay with the process, and hide what those of the measured window need.
WARM_UP_ROUNDS = 5
WARM_UP_CALLS = 2
WARM_UP_S = 0.3
RINGS_PER_S = 20
SETTLE_S = 3.0
ARRIVE_S = 1.0
HANG_UP_EVERY_S = 0.002
LEFT_AFTER_S = 1.5


@dataclass(frozen=True, slots=True)
class Plan:
    """What to load, and how. Either `stream` (a relay) or `webhook` with `dialed` (the product)."""

    pid: int
    provider_port: int
    calls: int = 50
    seconds: float = 20.0
    stream: str = ""
    webhook: str = ""
    dialed: str = ""


@dataclass(slots=True)
class Sight:
    """What one round of the load saw of the process under test, and of itself."""

    cpu_ms_per_call_second: float = 0.0
    memory_kb_per_call: float = 0.0
    largest_gap_ms: float = 0.0
    largest_gap_of_all_ms: float = 0.0
    added_delay_p50_ms: float = 0.0
    added_delay_p99_ms: float = 0.0
    marks_per_call_second: float = 0.0
    frames_per_call_second: float = 0.0
    provider_connections_left: int = 0
    faults: Faults = field(default_factory=Faults)
    calls_failed: int = 0
    strange_messages: int = 0
    core_use: float = 0.0
    clock_late_p99_ms: float = 0.0
    elsewhere_use: float = 0.0


class Load:
    """One round: warm up, ring, measure over a window, hang up, look what is left."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.sockets = Sockets()
        self.provider = LoadProvider(self.sockets)
        self.delays: array[float] = array("d")
        self.callers: list[Caller] = []
        self.seen = Sight()

    async def run(self) -> Sight:
        self.sockets.open()
        self.provider.listen(self.plan.provider_port)
        async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
            for _ in range(WARM_UP_ROUNDS):
                async with self._calls(client, WARM_UP_CALLS):
                    await asyncio.sleep(WARM_UP_S)
            await asyncio.sleep(LEFT_AFTER_S)
            idle_kb = memory_kb(self.plan.pid)
            async with self._calls(client, self.plan.calls) as (callers, clock):
                await asyncio.sleep(SETTLE_S)
                await self._measure(callers, clock)
                self.seen.memory_kb_per_call = (memory_kb(self.plan.pid) - idle_kb) / self.plan.calls
            await asyncio.sleep(LEFT_AFTER_S)
        self.seen.provider_connections_left = len(self.provider.sessions)
        self._sum_up()
        self.provider.close()
        self.sockets.close()
        return self.seen

    @asynccontextmanager
    async def _calls(self, client: httpx.AsyncClient, number: int) -> AsyncIterator[tuple[list[Caller], FrameClock]]:
        """So many calls, open inside the block. What was said in it has time to arrive, then each caller hangs up.

        They speak on until then, as a phone line does: one that is silent would be given silence by the bridge, in
        frames that were not sent.
        """
        first = len(self.callers)
        callers = [Caller(call, self.delays) for call in range(first, first + number)]
        self.callers += callers
        clock = FrameClock(callers)
        ticking = asyncio.create_task(clock.run())
        try:
            await self._ring(client, callers)
            yield callers, clock
            for caller in callers:
                caller.frames_due = len(caller.sent_at)
            await asyncio.sleep(ARRIVE_S)
            for caller in callers:
                caller.hang_up()
                await asyncio.sleep(HANG_UP_EVERY_S)
        finally:
            clock.stop()
            await ticking

    async def _ring(self, client: httpx.AsyncClient, callers: list[Caller]) -> None:
        for caller in callers:
            await caller.ring(self.sockets, await self._address(client, caller), ACCOUNT_SID)
            await asyncio.sleep(1 / RINGS_PER_S)

    async def _address(self, client: httpx.AsyncClient, caller: Caller) -> StreamAddress:
        if self.plan.stream:
            return StreamAddress(self.plan.stream)
        webhook = Webhook(self.plan.webhook, self.plan.dialed, ACCOUNT_SID, os.environ["TWILIO_AUTH_TOKEN"])
        return await webhook.ring(client, caller.call_sid, caller=f"+1555{caller.call:07d}")

    async def _measure(self, callers: list[Caller], clock: FrameClock) -> None:
        plan, seen = self.plan, self.seen
        gc.collect()
        gc.disable()
        for caller in callers:
            caller.begin_timing()
        clock.lateness = array("d")
        marks = sum(caller.marks for caller in callers)
        began_at, own, theirs, all_of_it = perf_counter(), process_time(), cpu_s(plan.pid), machine_busy_s()
        await asyncio.sleep(plan.seconds)
        wall_s = perf_counter() - began_at
        own_s, their_s, all_s = process_time() - own, cpu_s(plan.pid) - theirs, machine_busy_s() - all_of_it
        for caller in callers:
            caller.is_timed = False
        gc.enable()
        seen.largest_gap_ms = callers[len(callers) // 2].largest_gap_s * 1000
        seen.largest_gap_of_all_ms = max(caller.largest_gap_s for caller in callers) * 1000
        call_seconds = wall_s * plan.calls
        seen.cpu_ms_per_call_second = their_s * 1000 / call_seconds
        seen.core_use = own_s / wall_s
        seen.elsewhere_use = max(0.0, all_s - own_s - their_s) / wall_s
        seen.marks_per_call_second = (sum(caller.marks for caller in callers) - marks) / call_seconds
        seen.frames_per_call_second = len(self.delays) / call_seconds
        seen.added_delay_p50_ms = percentile(self.delays, 50) * 1000
        seen.added_delay_p99_ms = percentile(self.delays, 99) * 1000
        seen.clock_late_p99_ms = percentile(clock.lateness, 99) * 1000

    def _sum_up(self) -> None:
        round_trip = Faults()
        for caller in self.callers:
            round_trip.add(caller.faults())
        one_way = self.provider.faults({caller.call: caller.frames_due for caller in self.callers})
        # A frame that is harmed on its way up is harmed on its way down too: it counts once.
        self.seen.faults = round_trip.worse_of(one_way)
        self.seen.calls_failed = sum(caller.was_cut_off for caller in self.callers)
        clears = sum(caller.clears for caller in self.callers)
        self.seen.strange_messages = (
            sum(caller.strange_messages for caller in self.callers) + clears + self.provider.truncations
        )


def percentile(values: array[float], rank: int) -> float:
    """The smallest value that `rank` per cent of all do not exceed; 0 of none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * rank // 100)]


if __name__ == "__main__":
    print(json.dumps(asdict(uvloop.run(Load(Plan(**json.loads(sys.argv[1]))).run()))))
