"""Calls that this server records: what they cost beside the same calls without a recording."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from bridge_rounds import Sides
from figures import Figure, Table
from load import Plan, Sight
from options import Options
from steady_figures import COMPARED, Rounds, judge

# Processes differ by a few percent among each other: each side plays so often, in turn.
LEAST_RUNS = 3
# Each second of a call has two lanes of 8 KB, written as base64.
LEAST_KB = 21
BARS = COMPARED | {
    "cpu_ms_per_call_second": "at most 1.1 times",
    "added_delay_p99_ms": "under 5 on a quiet machine",
    "memory_kb_per_call": "under 130",
    "marks_per_call_second": "as many as without",
}


def measure(sides: Sides, options: Options) -> Iterator[Table]:
    plan = Plan(calls=sorted(options.calls), seconds=options.seconds)
    rounds = [Rounds([], []) for _ in plan.calls]
    written: list[float] = []
    for _ in range(max(options.runs, LEAST_RUNS)):
        for each, without in zip(rounds, sides.product(list[Sight], plan), strict=True):
            each.reference.append(without)
        recorded, kb_per_call_second = sides.product_that_records(list[Sight], plan)
        written.append(kb_per_call_second)
        for each, seen in zip(rounds, recorded, strict=True):
            each.ours.append(seen)
    for number, seen_both in zip(plan.calls, rounds, strict=True):
        proves = f"{number} recorded calls at once, beside as many that are not recorded"
        yield Table(proves, judge(seen_both, BARS))
    kb = Figure("recording.written_kb_per_call_second", median(written), bar=f"at least {LEAST_KB}")
    yield Table("What the recorder has written", [kb])
