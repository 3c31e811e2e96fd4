"""Two processes of the product on one core at the same time, of which one does something more than the other.

The same work costs up to a fifth more or less from one window to the next, by what the machine's neighbors do: both
take turns within milliseconds. Processes differ by a few percent among each other, which is as much as there is to
measure: each has both parts, one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import mean
from time import perf_counter

from caller import Caller
from calls import Calls
from load import Load, Sight
from processes import cpu_s


@dataclass(slots=True)
class Side:
    """One process and its calls."""

    pid: int
    webhook: str
    callers: list[Caller] = field(default_factory=list)

    async def ring(self, load: Load, calls: Calls, number: int) -> None:
        """So many calls of this process."""
        load.webhooks = [self.webhook]
        await calls.ring(number)
        self.callers = calls.live[-number:]

    def marks(self) -> int:
        return sum(caller.marks for caller in self.callers)


def sides_of(load: Load) -> list[Side]:
    return [Side(*each) for each in zip(load.plan.pids, load.plan.webhooks, strict=True)]


async def measure(load: Load, calls: Calls, sides: Sequence[Side], seconds: float) -> list[Sight]:
    """One window; what is of one process is that of its side, and the rest of both."""
    began_at, before = perf_counter(), [(cpu_s(side.pid), side.marks()) for side in sides]
    seen = await load.measure(calls, seconds)
    wall_s = perf_counter() - began_at
    return [
        replace(
            seen,
            cpu_ms_per_call_second=(cpu_s(side.pid) - cpu) * 1000 / (wall_s * len(side.callers)),
            marks_per_call_second=(side.marks() - marks) / (wall_s * len(side.callers)),
        )
        for side, (cpu, marks) in zip(sides, before, strict=True)
    ]


def in_both(one: Sight, other: Sight) -> Sight:
    """The same part in either process."""
    return replace(one, cpu_ms_per_call_second=mean([one.cpu_ms_per_call_second, other.cpu_ms_per_call_second]))
