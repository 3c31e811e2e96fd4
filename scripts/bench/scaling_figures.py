"""Scaling: two processes with as many calls each as one has, on the same core."""

from __future__ import annotations

from collections.abc import Iterator

from bridge_rounds import Sides
from figures import Figure, Table
from load import Plan, Sight
from options import Options
from steady_figures import usual


def measure(sides: Sides, options: Options) -> Iterator[Table]:
    number = min(options.calls)
    one = usual(sides, options)[0].ours[-1]
    [two] = sides.product(list[Sight], Plan(calls=[2 * number], seconds=options.seconds), processes=2)
    yield Table(
        f"Two processes with {number} calls each (ours) beside one with {number} (reference), on one core: a second "
        "process costs a call nothing",
        judge(two, one),
    )


def judge(two: Sight, one: Sight) -> list[Figure]:
    flaws = int(not two.is_flawless()), int(not one.is_flawless())
    return [
        Figure("scaling.calls", two.calls, one.calls),
        Figure(
            "scaling.cpu_ms_per_call_second",
            two.cpu_ms_per_call_second,
            one.cpu_ms_per_call_second,
            bar="at most 1.1 times",
        ),
        Figure("scaling.added_delay_p99_ms", two.added_delay_p99_ms, one.added_delay_p99_ms),
        Figure("scaling.rounds_with_faults", *flaws, bar="0", wrong=any(flaws)),
        Figure("load.core_use", two.core_use, one.core_use, bar="under 0.8"),
        Figure("machine.elsewhere_use", two.elsewhere_use, one.elsewhere_use, bar="0 on a quiet machine"),
    ]
