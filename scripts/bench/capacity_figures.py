"""Capacity: how many calls one core carries."""

from __future__ import annotations

from collections.abc import Iterator

from bridge_rounds import Sides
from capacity import LATE_MS, Capacity
from figures import Figure, Table
from load import Plan
from options import Options


def measure(sides: Sides, options: Options) -> Iterator[Table]:
    plan = Plan(round="capacity")
    reference = sides.relay(Capacity, plan)
    ours = sides.product(Capacity, plan)
    yield Table(
        f"How many calls one core carries: 99 % of the frames less than {LATE_MS:.0f} ms late, and none lost",
        judge(ours, reference),
    )


def judge(ours: Capacity, reference: Capacity) -> list[Figure]:
    full = [name for name, side in (("ours", ours), ("the reference", reference)) if side.is_at_least]
    note = f"{' and '.join(full)} may carry more: the load's core was full" if full else ""
    return [
        Figure("capacity.calls", ours.calls, reference.calls, bar="at least 0.6 times", note=note),
        Figure("capacity.cpu_ms_per_call_second", ours.cpu_ms_per_call_second, reference.cpu_ms_per_call_second),
        Figure("capacity.added_delay_p99_ms", ours.added_delay_p99_ms, reference.added_delay_p99_ms),
        Figure("load.core_use", ours.core_use, reference.core_use, bar="under 0.8"),
    ]
