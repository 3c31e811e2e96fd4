"""`make bench`: every figure beside its reference of the same run; one JSON line each, and a table to read.

    python scripts/bench/run.py [--only bridge] [--calls 50 200] [--seconds 6] [--runs 1]

Fails on frames that went wrong and on void figures, never on a slow one.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import api_figures
import availability_figures
import board_figures
import bridge_figures
import call_page_figures
import finishing_figures
import live_figures
import livekit_figures
import page_figures
import room_figures
import search_figures
from capacity import MOST
from figures import Table, verdict
from options import Options
from product import Product
from progress import say

GROUPS: dict[str, Callable[[Product, Options], Iterator[Table]]] = {
    "api": api_figures.measure,
    "availability": availability_figures.measure,
    "board": board_figures.measure,
    "bridge": bridge_figures.measure,
    "finishing": finishing_figures.measure,
    "live": live_figures.measure,
    "livekit": livekit_figures.measure,
    "page": call_page_figures.measure,
    "pages": page_figures.measure,
    "rooms": room_figures.measure,
    "search": search_figures.measure,
}


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--calls", type=int, nargs="+", default=[50, 200], help="calls at once; one after the other")
    arguments.add_argument("--seconds", type=float, default=6.0, help="length of each measured window")
    arguments.add_argument("--runs", type=int, default=1, help="repetitions of a load; figures are medians")
    arguments.add_argument("--only", choices=sorted(GROUPS), action="append", help="a group of figures; all by default")
    arguments.add_argument(
        "--round", choices=bridge_figures.ROUNDS, action="append", help="of the bridge; all by default"
    )
    chosen = arguments.parse_args()
    options = Options(tuple(chosen.calls), chosen.seconds, chosen.runs, rounds=tuple(chosen.round or ()))
    tables: list[Table] = []
    with tempfile.TemporaryDirectory(prefix="voiceapp-bench-") as folder:
        say(f"Python {platform.python_version()}, {Path(sys.executable).resolve()}")  # builds differ by half
        say("database")
        product = Product(Path(folder), calls=max(MOST, *options.calls))
        for name in chosen.only or GROUPS:
            say(name)
            for table in GROUPS[name](product, options):
                print("\n".join(figure.as_line() for figure in table.figures))
                print(f"\n{table}\n", flush=True)
                tables.append(table)
    say("done")
    print(verdict(tables))
    return int(any(table.failed() for table in tables))


if __name__ == "__main__":
    sys.exit(main())
