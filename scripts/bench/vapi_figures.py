"""Calls over VAPI's protocol: what they cost beside the bare relay, and beside calls over OpenAI's protocol."""

from __future__ import annotations

from collections.abc import Iterator

from bridge_rounds import Sides
from figures import Table
from load import Plan, Sight
from options import Options
from steady_figures import COMPARED, Rounds, judge

BARS = COMPARED | {
    "cpu_ms_per_call_second": "at most 2.4 times",
    "added_delay_p99_ms": "under 5 on a quiet machine",
    "memory_kb_per_call": "under 100",
}
BESIDE_OPENAI = dict.fromkeys(("cpu_ms_per_call_second", "added_delay_p99_ms", "memory_kb_per_call"), "")


def measure(sides: Sides, options: Options) -> Iterator[Table]:
    plan = Plan(calls=list(options.calls), seconds=options.seconds)
    relay = sides.relay(list[Sight], plan)
    openai = sides.product(list[Sight], plan)
    vapi = sides.product_over_vapi(list[Sight], plan)
    for number, reference, beside, ours in zip(sorted(plan.calls), relay, openai, vapi, strict=True):
        proves = f"VAPI, {number} calls at once: what a call costs, and what it suffers"
        yield Table(proves, judge(Rounds([ours], [reference]), BARS))
        proves = f"VAPI, {number} calls at once: beside the same calls over OpenAI's protocol"
        yield Table(proves, judge(Rounds([ours], [beside]), BESIDE_OPENAI))
