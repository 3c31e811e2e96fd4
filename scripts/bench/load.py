"""The callers, Twilio and the AI provider of a process under test, played in one process on one core."""

from __future__ import annotations

import asyncio
import os
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import perf_counter, process_time

import httpx
from caller import Caller
from calls import Calls, Speaks
from connection import Sockets
from frames import Faults
from processes import cpu_s, machine_busy_s, memory_kb
from provider import LoadProvider, Manner, RealtimeSession
from vapi_provider import CallDesk, VapiSession
from webhook import ACCOUNT_SID, OneRequest, StreamAddress, Webhook

# Enough short calls for every thread and cache to have done its first work, but few at a time: memory that many calls
# at once had needed would stay with the process, and hide what those of the measured window need.
WARM_UP_ROUNDS = 4
WARM_UP_CALLS = 2
WARM_UP_S = 0.3
LEFT_AFTER_S = 1.5


@dataclass(frozen=True, slots=True)
class Audience:
    """Operators in their browsers: the address of the web process that serves them, and their sessions."""

    address: str = ""
    sessions: list[str] = field(default_factory=list)
    database: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to load, and how. Either `streams` (a relay) or `webhooks` with `dialed` (the product).

    `calls` are numbers of calls at once, one after the other. With several processes, calls take turns among them.
    """

    pids: list[int] = field(default_factory=list)
    provider_port: int = 0
    round: str = "steady"
    calls: list[int] = field(default_factory=lambda: [50])
    seconds: float = 20.0
    streams: list[str] = field(default_factory=list)
    webhooks: list[str] = field(default_factory=list)
    dialed: str = ""
    manner: Manner = field(default_factory=Manner)
    audience: Audience = field(default_factory=Audience)


@dataclass(slots=True)
class Conduct:
    """What the process under test did wrong."""

    faults: Faults = field(default_factory=Faults)
    calls_failed: int = 0
    strange_messages: int = 0
    provider_connections_left: int = 0

    def is_flawless(self) -> bool:
        return not (self.faults.total() or self.calls_failed or self.strange_messages or self.provider_connections_left)


@dataclass(slots=True)
class Sight(Conduct):
    """What the load saw of the process under test during a window, and of itself."""

    calls: int = 0
    cpu_ms_per_call_second: float = 0.0
    memory_kb_per_call: float = 0.0
    largest_gap_ms: float = 0.0
    largest_gap_of_all_ms: float = 0.0
    added_delay_p50_ms: float = 0.0
    added_delay_p99_ms: float = 0.0
    marks_per_call_second: float = 0.0
    frames_per_call_second: float = 0.0
    core_use: float = 0.0
    clock_late_p99_ms: float = 0.0
    elsewhere_use: float = 0.0


class Load:
    """Everybody whom the process under test speaks to. Rounds decide who calls when."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.sockets = Sockets()
        self.desk = (
            CallDesk(port=plan.manner.vapi_port, provider_port=plan.provider_port) if plan.manner.vapi_port else None
        )
        session = RealtimeSession if self.desk is None else VapiSession
        self.provider = LoadProvider(self.sockets, plan.manner, session)
        self.delays: array[float] = array("d")
        self.callers: list[Caller] = []
        self.webhooks = plan.webhooks  # to which calls are led from now on, in turn

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """The provider listens inside the block."""
        self.sockets.open()
        self.provider.listen(self.plan.provider_port)
        if self.desk is not None:
            await self.desk.open()
        async with httpx.AsyncClient(transport=OneRequest()) as self._client:
            yield
        if self.desk is not None:
            await self.desk.close()
        self.provider.close()
        self.sockets.close()

    async def warm_up(self) -> None:
        for _ in range(WARM_UP_ROUNDS):
            async with Calls(self, WARM_UP_CALLS) as calls:
                await calls.ring(WARM_UP_CALLS)
                await asyncio.sleep(WARM_UP_S)
        await asyncio.sleep(LEFT_AFTER_S)

    def new_caller(self, kind: type[Speaks]) -> Speaks:
        call = len(self.callers)
        caller = kind(call, self.delays, self.provider.said_at[call] if self.plan.manner.talks else None)
        self.callers.append(caller)
        return caller

    async def address(self, caller: Caller) -> StreamAddress:
        """Where the caller's media goes: the relay, or what the product's webhook says."""
        plan = self.plan
        if plan.streams:
            return StreamAddress(plan.streams[caller.call % len(plan.streams)])
        url = self.webhooks[caller.call % len(self.webhooks)]
        webhook = Webhook(url, plan.dialed, ACCOUNT_SID, os.environ["TWILIO_AUTH_TOKEN"])
        return await webhook.ring(self._client, caller.call_sid, caller=f"+1555{caller.call:07d}")

    def memory_kb(self) -> int:
        return sum(map(memory_kb, self.plan.pids))

    async def measure(self, calls: Calls, seconds: float) -> Sight:
        """One window, during which nobody rings or hangs up."""
        callers, clock = calls.live, calls.clock
        del self.delays[:]
        clock.lateness = array("d")
        for caller in callers:
            caller.begin_timing()
        marks = sum(caller.marks for caller in callers)
        began_at, own, theirs, all_of_it = perf_counter(), process_time(), self._cpu_s(), machine_busy_s()
        await asyncio.sleep(seconds)
        wall_s = perf_counter() - began_at
        own_s, their_s, all_s = process_time() - own, self._cpu_s() - theirs, machine_busy_s() - all_of_it
        for caller in callers:
            caller.is_timed = False
        call_seconds = wall_s * len(callers)
        return Sight(
            calls=len(callers),
            cpu_ms_per_call_second=their_s * 1000 / call_seconds,
            largest_gap_ms=callers[len(callers) // 2].largest_gap_s * 1000,
            largest_gap_of_all_ms=max(caller.largest_gap_s for caller in callers) * 1000,
            added_delay_p50_ms=percentile(self.delays, 50) * 1000,
            added_delay_p99_ms=percentile(self.delays, 99) * 1000,
            marks_per_call_second=(sum(caller.marks for caller in callers) - marks) / call_seconds,
            frames_per_call_second=len(self.delays) / call_seconds,
            core_use=own_s / wall_s,
            clock_late_p99_ms=percentile(clock.lateness, 99) * 1000,
            elsewhere_use=max(0.0, all_s - own_s - their_s) / wall_s,
        )

    def _cpu_s(self) -> float:
        return sum(map(cpu_s, self.plan.pids))

    async def sum_up(self, *seen: Conduct) -> None:
        """After everybody has hung up: what went wrong with any call of the round."""
        await asyncio.sleep(LEFT_AFTER_S)
        round_trip = Faults()
        for caller in self.callers:
            round_trip.add(caller.faults())
        one_way = self.provider.faults({caller.call: caller.frames_due_there for caller in self.callers})
        if self.plan.manner.talks:
            round_trip.add(one_way)
        else:  # a frame that is harmed on its way up is harmed on its way down too: it counts once
            round_trip = round_trip.worse_of(one_way)
        for each in seen:
            each.faults = round_trip
            each.calls_failed = sum(caller.was_cut_off for caller in self.callers)
            each.strange_messages = self.provider.truncations + sum(
                caller.strange_messages + caller.clears for caller in self.callers
            )
            each.provider_connections_left = self.provider.sessions_of_calls


def percentile(values: array[float], rank: int) -> float:
    """The smallest value that `rank` per cent of all do not exceed; 0 of none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * rank // 100)]
