"""The bridge's figures: the product beside a bare picows relay under the same load."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import capacity_figures
import first_word_figures
import recording_figures
import ringing_figures
import scaling_figures
import steady_figures
import vapi_figures
from bridge_rounds import Sides
from figures import Table
from options import Options
from product import Product
from progress import say

ROUNDS: dict[str, Callable[[Sides, Options], Iterator[Table]]] = {
    "steady": steady_figures.measure,
    "capacity": capacity_figures.measure,
    "ringing": ringing_figures.measure,
    "tls": steady_figures.measure_tls,
    "talk": steady_figures.measure_talk,
    "vapi": vapi_figures.measure,
    "recording": recording_figures.measure,
    "scaling": scaling_figures.measure,
    "first_word": first_word_figures.measure,
}


def measure(product: Product, options: Options) -> Iterator[Table]:
    sides = Sides(product.another("bridge"))
    for each in options.rounds or ROUNDS:
        say(f"bridge: {each}")
        yield from ROUNDS[each](sides, options)
