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
    most = max(options.calls)
    plan = Plan(calls=[most], seconds=options.seconds)
    rounds = Rounds([], [])
    written: list[float] = []
    for _ in range(max(options.runs, LEAST_RUNS)):
        rounds.reference.extend(sides.product(list[Sight], plan))
        recorded, kb_per_call_second = sides.product_that_records(list[Sight], plan)
        rounds.ours.extend(recorded)
        written.append(kb_per_call_second)
    yield Table(f"{most} recorded calls at once, beside as many that are not recorded", judge(rounds, BARS))
    kb = Figure("recording.written_kb_per_call_second", median(written), bar=f"at least {LEAST_KB}")
    yield Table("What the recorder has written", [kb])
