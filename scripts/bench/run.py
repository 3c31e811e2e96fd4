"""`make bench`: every figure beside its reference of the same run; one JSON line each, then a table to read.

    python scripts/bench/run.py [--calls 50] [--seconds 20] [--runs 3] [--only bridge]

Fails on frames that went wrong and on void figures, never on a slow one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

import api_figures
import bridge_figures
import livekit_figures
import page_figures
from figures import Figure, table
from options import Options

GROUPS: dict[str, Callable[[Options], list[Figure]]] = {
    "api": api_figures.measure,
    "bridge": bridge_figures.measure,
    "livekit": livekit_figures.measure,
    "pages": page_figures.measure,
}


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--calls", type=int, default=50, help="calls at once")
    arguments.add_argument("--seconds", type=float, default=20.0, help="length of each measured window")
    arguments.add_argument("--runs", type=int, default=3, help="rounds of each side; at least 2, figures are medians")
    arguments.add_argument("--only", choices=sorted(GROUPS), action="append", help="a group of figures; all by default")
    chosen = arguments.parse_args()
    options = Options(calls=chosen.calls, seconds=chosen.seconds, runs=max(2, chosen.runs))
    figures: list[Figure] = []
    for name in chosen.only or GROUPS:
        measured = GROUPS[name](options)
        for figure in measured:
            print(figure.as_line(), flush=True)
        figures += measured
    print(f"\n{table(figures)}")
    return int(any(figure.void or figure.wrong for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
