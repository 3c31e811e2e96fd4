"""The first word, with a provider that is as slow as a real one."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import replace

from bridge_rounds import Sides
from figures import Figure, Table
from first_word import FirstWord
from load import Plan, percentile
from options import Options
from provider import Manner

CALLS = 10
REFERENCE_CALLS = 2  # nothing in the relay varies
SLOW = Manner(connects_after_s=0.6, speaks_after_s=0.7)
# How the product is set, and what is then hoped for.
WAYS = {
    "model_speaks": ({"KEEP_GREETINGS": "false"}, "under 800"),
    "kept_greeting": ({"KEEP_GREETINGS": "true"}, "under 100"),
}


def measure(sides: Sides, options: Options) -> Iterator[Table]:
    plan = Plan(round="first_word", calls=[CALLS], manner=SLOW)
    seen = {way: sides.product(FirstWord, plan, settings=settings) for way, (settings, _) in WAYS.items()}
    reference = sides.relay(FirstWord, replace(plan, calls=[REFERENCE_CALLS]))
    yield Table(
        f"How long a caller waits for the first sound when the provider takes {SLOW.connects_after_s * 1000:.0f} ms to "
        f"connect and {SLOW.speaks_after_s * 1000:.0f} ms to speak",
        judge(seen, reference),
    )


def judge(seen: dict[str, FirstWord], reference: FirstWord) -> list[Figure]:
    figures = []
    for way, each in seen.items():
        for rank in (50, 99):
            ours, relay = (percentile(array("d", side.waits_ms), rank) for side in (each, reference))
            figures.append(Figure(f"first_word.{way}.p{rank}_ms", ours, relay, bar=WAYS[way][1]))
        unheard = each.unheard
        figures.append(Figure(f"first_word.{way}.unheard", unheard, reference.unheard, bar="0", wrong=bool(unheard)))
    return figures
