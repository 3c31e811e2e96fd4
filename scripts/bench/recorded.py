"""Calls that one process records, beside as many that another one does not, and then the other way round: what
recording costs.

Both have their calls at the same time and take turns on one core within milliseconds, because the same work costs up to
a fifth more or less from one window to the next, by what the machine's neighbors do. Each has both parts, because
processes differ by a few percent among each other, which is as much as there is to measure.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from dataclasses import dataclass, replace
from statistics import mean
from time import perf_counter

from caller import Caller
from calls import Calls
from load import Load, Sight
from processes import cpu_s

SETTLE_S = 2.0
# Every call that rang has learned who records it.
BRIEFED_S = 1.0
# Calls that have been hung up are written to their end.
END_WITHIN_S = 3.0
TURNS = 4
OFF, BRIDGE = "off", "bridge"


@dataclass(slots=True)
class Recorded:
    """Those of one place in the two lists were measured at the same time, each in both processes."""

    plain: list[Sight]
    recorded: list[Sight]


@dataclass(slots=True)
class _Side:
    """One process and its calls."""

    pid: int
    webhook: str
    callers: list[Caller]

    def marks(self) -> int:
        return sum(caller.marks for caller in self.callers)


async def play(load: Load) -> Recorded:
    """Half of the plan's calls are recorded, half of them not. Its seconds are those of two windows."""
    seen = Recorded([], [])
    sides = [_Side(pid, webhook, []) for pid, webhook in zip(load.plan.pids, load.plan.webhooks, strict=True)]
    async with load.open():
        await load.warm_up()
        async with Calls(load, max(load.plan.calls)) as calls:
            for _ in range(TURNS):
                one, other = [await _window(load, calls, each) for each in (sides, sides[::-1])]
                seen.recorded.append(_both(one[0], other[0]))
                seen.plain.append(_both(one[1], other[1]))
        await load.sum_up(*seen.plain, *seen.recorded)
        _choose(load.plan.audience.database, OFF)
    return seen


async def _window(load: Load, calls: Calls, sides: list[_Side]) -> tuple[Sight, Sight]:
    """With new calls, which end afterwards. The first process records."""
    number = max(load.plan.calls) // 2
    for side, recording in zip(sides, (BRIDGE, OFF), strict=True):
        _choose(load.plan.audience.database, recording)
        load.webhooks = [side.webhook]
        await calls.ring(number)
        side.callers = calls.live[-number:]
        await asyncio.sleep(BRIEFED_S)
    await asyncio.sleep(SETTLE_S)
    began_at, before = perf_counter(), [(cpu_s(side.pid), side.marks()) for side in sides]
    seen = await load.measure(calls, load.plan.seconds / 2)
    call_seconds = (perf_counter() - began_at) * number
    recorded, plain = (
        replace(
            seen,
            cpu_ms_per_call_second=(cpu_s(side.pid) - cpu) * 1000 / call_seconds,
            marks_per_call_second=(side.marks() - marks) / call_seconds,
        )
        for side, (cpu, marks) in zip(sides, before, strict=True)
    )
    await calls.hang_up(calls.live.copy())
    await asyncio.sleep(END_WITHIN_S)
    return recorded, plain


def _both(one: Sight, other: Sight) -> Sight:
    """The same part in either process."""
    return replace(one, cpu_ms_per_call_second=mean([one.cpu_ms_per_call_second, other.cpu_ms_per_call_second]))


def _choose(database: str, recording: str) -> None:
    """Who records the calls of every agent that begin from now on."""
    with contextlib.closing(sqlite3.connect(database, timeout=5)) as connection, connection:
        connection.execute("UPDATE agents_agentversion SET recording = ?", [recording])
