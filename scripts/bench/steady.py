"""The steady round: so many calls, a measured window, then more of them, and another window."""

from __future__ import annotations

import asyncio

from calls import Calls
from load import Load, Sight

SETTLE_S = 2.0


async def play(load: Load) -> list[Sight]:
    """One for each number of calls of the plan."""
    seen = []
    async with load.open():
        await load.warm_up()
        idle_kb = load.memory_kb()
        async with Calls(load, max(load.plan.calls)) as calls:
            for number in sorted(load.plan.calls):
                await calls.ring(number - len(calls.live))
                await asyncio.sleep(SETTLE_S)
                window = await load.measure(calls, load.plan.seconds)
                window.memory_kb_per_call = (load.memory_kb() - idle_kb) / number
                seen.append(window)
        await load.sum_up(*seen)
    return seen
