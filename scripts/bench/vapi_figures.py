"""Calls over VAPI's protocol: what they cost beside the bare relay, and beside calls over OpenAI's protocol."""

from __future__ import annotations

from collections.abc import Iterator

from bridge_rounds import Sides
from figures import Table
from load import Plan, Sight
from options import Options
from steady_figures import COMPARED, Rounds, judge, usual

BARS = COMPARED | {
    "cpu_ms_per_call_second": "at most 2.4 times",
    "added_delay_p99_ms": "under 5 on a quiet machine",
    "memory_kb_per_call": "under 100",
}
BESIDE_OPENAI = dict.fromkeys(("cpu_ms_per_call_second", "added_delay_p99_ms", "memory_kb_per_call"), "")


def measure(sides: Sides, options: Options) -> Iterator[Table]:
    plan = Plan(calls=sorted(options.calls), seconds=options.seconds)
    over_openai = usual(sides, options)
    for number, usually, ours in zip(plan.calls, over_openai, sides.product_over_vapi(list[Sight], plan), strict=True):
        proves = f"VAPI, {number} calls at once: what a call costs, and what it suffers"
        yield Table(proves, judge(Rounds([ours], usually.reference), BARS))
        proves = f"VAPI, {number} calls at once: beside the same calls over OpenAI's protocol"
        yield Table(proves, judge(Rounds([ours], usually.ours), BESIDE_OPENAI))
