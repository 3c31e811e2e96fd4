"""Calls that this server records, and as many that it does not, in turn in one process: what recording costs.

Processes differ by a few percent among each other, which is as much as there is to measure.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from dataclasses import dataclass

from calls import Calls
from load import Load, Sight

SETTLE_S = 2.0
# Calls that have been hung up are written to their end.
END_WITHIN_S = 3.0
TURNS = 3
OFF, BRIDGE = "off", "bridge"


@dataclass(slots=True)
class Recorded:
    """Those of one place in the two lists were measured one after the other, the recorded ones before in every second
    pair.
    """

    plain: list[Sight]
    recorded: list[Sight]


async def play(load: Load) -> Recorded:
    """The plan's seconds are those of two windows."""
    plain: list[Sight] = []
    recorded: list[Sight] = []
    async with load.open():
        await load.warm_up()
        async with Calls(load, max(load.plan.calls)) as calls:
            plain += await _windows(load, calls, OFF, number=1)
            for turn in range(TURNS):
                recorded += await _windows(load, calls, BRIDGE, number=2)
                plain += await _windows(load, calls, OFF, number=2 if turn < TURNS - 1 else 1)
        await load.sum_up(*plain, *recorded)
        _choose(load.plan.audience.database, OFF)
    return Recorded(plain, recorded)


async def _windows(load: Load, calls: Calls, recording: str, *, number: int) -> list[Sight]:
    """With new calls, which end afterwards."""
    _choose(load.plan.audience.database, recording)
    await calls.ring(max(load.plan.calls))
    await asyncio.sleep(SETTLE_S)
    seen = [await load.measure(calls, load.plan.seconds / 2) for _ in range(number)]
    await calls.hang_up(calls.live.copy())
    await asyncio.sleep(END_WITHIN_S)
    return seen


def _choose(database: str, recording: str) -> None:
    """Who records the calls of every agent that begin from now on."""
    with contextlib.closing(sqlite3.connect(database, timeout=5)) as connection, connection:
        connection.execute("UPDATE agents_agentversion SET recording = ?", [recording])
