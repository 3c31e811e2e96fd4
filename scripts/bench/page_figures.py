"""The first and the last page of 100,000 calls, beside a view that only authenticates and answers."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator

from api_figures import SETTINGS, on_core
from api_rounds import Request, Timings, take_turns
from figures import Figure, Table
from load import percentile
from options import Options
from processes import cores
from product import Product

CALLS = 100_000
PAGES = {"first": "/api/voice/session", "last": f"/api/voice/session?offset={CALLS - 10}"}
REQUESTS_PER_S = 10
BAR = "under 100"


def measure(product: Product, options: Options) -> Iterator[Table]:
    times = max(50, int(options.seconds * REQUESTS_PER_S))
    timings = {name: Timings() for name in PAGES}
    product = product.another("pages", **SETTINGS)
    script = "scripts/bench/fill_calls.py"
    filled = json.loads(product.run(script, product.line.org_id, str(CALLS)).splitlines()[-1])
    headers = {"Cookie": f"sessionid={filled['session']}"}
    for _ in range(options.runs):
        with product.serve(cores()[0]), on_core(cores()[1]):
            reference = Request("GET", "/bench/reference", headers=headers)
            for page, path in PAGES.items():
                request = Request("GET", path, headers=headers)
                timings[page].add(take_turns(product.port, request, reference, times=times))
    yield Table(
        f"The last page of {CALLS:,} calls costs as much as the first",
        [figure for page in PAGES for figure in _figures(page, timings[page], filled[f"{page}_queries"])],
    )


def _figures(page: str, timings: Timings, queries: int) -> Iterator[Figure]:
    void = "the load has no core of its own" if len(set(cores())) == 1 else ""
    for rank in (50, 99):
        ours, reference = (percentile(array("d", side), rank) for side in (timings.ours, timings.reference))
        yield Figure(f"calls_page.{page}.p{rank}_ms", ours, reference, bar=BAR, void=void)
    yield Figure(f"calls_page.{page}.queries", queries)
