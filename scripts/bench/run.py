"""`make bench`: every figure beside its reference of the same run; one JSON line each, and a table to read.

    python scripts/bench/run.py [--only bridge] [--calls 50 200] [--seconds 10] [--runs 2]

Fails on frames that went wrong and on void figures, never on a slow one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator

import api_figures
import availability_figures
import bridge_figures
import livekit_figures
import page_figures
from figures import Table
from options import Options

GROUPS: dict[str, Callable[[Options], Iterator[Table]]] = {
    "api": api_figures.measure,
    "availability": availability_figures.measure,
    "bridge": bridge_figures.measure,
    "livekit": livekit_figures.measure,
    "pages": page_figures.measure,
}


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--calls", type=int, nargs="+", default=[50, 200], help="calls at once; one after the other")
    arguments.add_argument("--seconds", type=float, default=10.0, help="length of each measured window")
    arguments.add_argument("--runs", type=int, default=2, help="repetitions of a steady load; figures are medians")
    arguments.add_argument("--only", choices=sorted(GROUPS), action="append", help="a group of figures; all by default")
    arguments.add_argument(
        "--round", choices=bridge_figures.ROUNDS, action="append", help="of the bridge; all by default"
    )
    chosen = arguments.parse_args()
    options = Options(tuple(chosen.calls), chosen.seconds, chosen.runs, rounds=tuple(chosen.round or ()))
    failed = False
    for name in chosen.only or GROUPS:
        for table in GROUPS[name](options):
            print("\n".join(figure.as_line() for figure in table.figures))
            print(f"\n{table}\n", flush=True)
            failed |= table.failed()
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
