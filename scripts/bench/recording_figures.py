"""Calls that this server records: what they cost beside the same calls without a recording."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from bridge_rounds import Sides
from figures import Figure, Table
from load import Plan, Sight
from options import Options
from recorded import Recorded
from steady_figures import COMPARED, Rounds, cpu_in_pairs, judge

# Each side plays so often, in turn.
LEAST_RUNS = 2
# Each second of a call has two lanes of 8 KB, written as base64.
LEAST_KB = 21
BARS = {name: bar for name, bar in COMPARED.items() if name != "cpu_ms_per_call_second"} | {
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
    seen = sides.products_that_record_in_turn(Recorded, plan)
    cost = cpu_in_pairs("bridge.cpu_ms_per_call_second", Rounds(seen.recorded, seen.plain), "at most 1.1 times")
    yield Table(
        f"{most // 2} calls that a process records beside {most // 2} of another, in turn: what recording costs", [cost]
    )
    kb = Figure("recording.written_kb_per_call_second", median(written), bar=f"at least {LEAST_KB}")
    yield Table("What the recorder has written", [kb])
