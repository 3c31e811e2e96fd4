"""Calls that one process records, beside as many that another one does not, and then the other way round."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from dataclasses import dataclass

from calls import Calls
from load import Load, Sight
from side_by_side import Side, in_both, measure, sides_of

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


async def play(load: Load) -> Recorded:
    """Half of the plan's calls are recorded, half of them not. Its seconds are those of two windows."""
    seen = Recorded([], [])
    sides = sides_of(load)
    async with load.open():
        await load.warm_up()
        async with Calls(load, max(load.plan.calls)) as calls:
            for _ in range(TURNS):
                one, other = [await _window(load, calls, each) for each in (sides, sides[::-1])]
                seen.recorded.append(in_both(one[0], other[0]))
                seen.plain.append(in_both(one[1], other[1]))
        await load.sum_up(*seen.plain, *seen.recorded)
        _choose(load.plan.audience.database, OFF)
    return seen


async def _window(load: Load, calls: Calls, sides: list[Side]) -> list[Sight]:
    """With new calls, which end afterwards. The first process records."""
    for side, recording in zip(sides, (BRIDGE, OFF), strict=True):
        _choose(load.plan.audience.database, recording)
        await side.ring(load, calls, max(load.plan.calls) // 2)
        await asyncio.sleep(BRIEFED_S)
    await asyncio.sleep(SETTLE_S)
    seen = await measure(load, calls, sides, load.plan.seconds / 2)
    await calls.hang_up(calls.live.copy())
    await asyncio.sleep(END_WITHIN_S)
    return seen


def _choose(database: str, recording: str) -> None:
    """Who records the calls of every agent that begin from now on."""
    with contextlib.closing(sqlite3.connect(database, timeout=5)) as connection, connection:
        connection.execute("UPDATE agents_agentversion SET recording = ?", [recording])
