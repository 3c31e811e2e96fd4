"""Capacity: how many calls one core carries."""

from __future__ import annotations

from collections.abc import Iterator

from bridge_rounds import Sides
from capacity import FIRST, LATE_MS, Capacity
from figures import Figure, Table
from load import Plan
from node_peer import NodeUnavailable
from options import Options

PLAN = Plan(round="capacity", calls=[FIRST])


def measure(sides: Sides, options: Options) -> Iterator[Table]:
    proves = f"How many calls one core carries: 99 % of the frames less than {LATE_MS:.0f} ms late, and none lost"
    reference = sides.relay(Capacity, PLAN)
    ours = sides.product(Capacity, PLAN)
    yield Table(proves, judge(ours, reference, bar="at least 0.6 times"))
    try:
        peer = sides.node(Capacity, PLAN)
    except NodeUnavailable as exc:
        yield Table(f"Not compared with Twilio's Node sample: {exc}.", [])
    else:
        yield Table("The same beside an equivalent of Twilio's Node sample", judge(ours, peer, bar="at least 2 times"))


def judge(ours: Capacity, reference: Capacity, *, bar: str) -> list[Figure]:
    full = [name for name, side in (("ours", ours), ("the reference", reference)) if side.is_at_least]
    note = f"{' and '.join(full)} may carry more: the load's core was full" if full else ""
    at_first = f"capacity.cpu_ms_per_call_second_with_{FIRST}"
    return [
        Figure("capacity.calls", ours.calls, reference.calls, bar=bar, note=note),
        Figure(at_first, ours.cpu_ms_with(FIRST), reference.cpu_ms_with(FIRST)),
        Figure("capacity.cpu_ms_per_call_second", ours.cpu_ms_per_call_second, reference.cpu_ms_per_call_second),
        Figure("capacity.added_delay_p99_ms", ours.added_delay_p99_ms, reference.added_delay_p99_ms),
        Figure("load.core_use", ours.core_use, reference.core_use, bar="under 0.8"),
        Figure("machine.elsewhere_use", ours.elsewhere_use, reference.elsewhere_use, bar="0 on a quiet machine"),
    ]
