"""The first and the last page of 100,000 calls, the player of an hour's call and the page of analytics, beside a view
that only authenticates and answers."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator

from api_figures import SETTINGS, on_core
from api_rounds import Request, Timings, take_turns
from figures import Figure, Table
from load import percentile
from options import Options
from processes import cores, why_void_here
from product import Product

CALLS = 100_000
PAGES = {"first": "/api/voice/session", "last": f"/api/voice/session?offset={CALLS - 10}"}
REQUESTS_PER_S = 10
BAR = "under 100"
# A page of a megabyte: few of them are enough for the median.
PLAYER_TIMES, PLAYER_WARM_UP, PLAYER_BAR = 12, 3, "under 1000"
ANALYTICS = {"by_day": "/admin/analytics/", "by_hour": "/admin/analytics/?by=hour"}
ANALYTICS_TIMES, ANALYTICS_BAR = 30, "under 300"


def measure(product: Product, options: Options) -> Iterator[Table]:
    times = max(50, int(options.seconds * REQUESTS_PER_S))
    timings = {name: Timings() for name in PAGES}
    empty, product = product, product.another("pages", **SETTINGS)
    script = "scripts/bench/fill_calls.py"
    filled = json.loads(product.run(script, product.line.org_id, str(CALLS)).splitlines()[-1])
    headers = {"Cookie": f"sessionid={filled['session']}"}
    long_call = json.loads(product.run("scripts/bench/fill_long_call.py", product.line.org_id).splitlines()[-1])
    player = Timings()
    for _ in range(options.runs):
        with product.serve(cores()[0]), on_core(cores()[1]):
            reference = Request("GET", "/bench/reference", headers=headers)
            for page, path in PAGES.items():
                request = Request("GET", path, headers=headers)
                timings[page].add(take_turns(product.port, request, reference, times=times))
            listener = {"Cookie": f"sessionid={long_call['session']}"}
            page_of_call = Request("GET", long_call["path"], headers=listener)
            player.add(take_turns(product.port, page_of_call, reference, times=PLAYER_TIMES, warm_up=PLAYER_WARM_UP))
    yield Table(
        f"The last page of {CALLS:,} calls costs as much as the first",
        [figure for page in PAGES for figure in _figures(page, timings[page], filled[f"{page}_queries"])],
    )

    ours, reference_ms = (percentile(array("d", side), 50) for side in (player.ours, player.reference))
    yield Table(
        "The player opens an hour's call, with its waveform and 2,000 lines, within a second",
        [Figure("call_player.open.p50_ms", ours, reference_ms, bar=PLAYER_BAR, void=why_void_here())],
    )
    yield _analytics(empty.another("analytics", **SETTINGS))


def _analytics(product: Product) -> Table:
    filled = json.loads(product.run("scripts/bench/fill_days.py", product.line.org_id, str(CALLS)).splitlines()[-1])
    headers = {"Cookie": f"sessionid={filled['session']}"}
    figures: list[Figure] = []
    with product.serve(cores()[0]), on_core(cores()[1]):
        reference = Request("GET", "/bench/reference", headers=headers)
        for page, path in ANALYTICS.items():
            request = Request("GET", path, headers=headers)
            timings = take_turns(product.port, request, reference, times=ANALYTICS_TIMES, warm_up=PLAYER_WARM_UP)
            for rank in (50, 99):
                ours, reference_ms = (percentile(array("d", side), rank) for side in (timings.ours, timings.reference))
                name = f"analytics.{page}.p{rank}_ms"
                figures.append(Figure(name, ours, reference_ms, bar=ANALYTICS_BAR, void=why_void_here()))
    figures.append(Figure("analytics.queries", filled["queries"]))
    figures.append(Figure("analytics.count_day_ms", filled["day_ms"]))
    return Table(f"Analytics of {CALLS:,} calls within 13 weeks opens within 300 ms", figures)


def _figures(page: str, timings: Timings, queries: int) -> Iterator[Figure]:
    for rank in (50, 99):
        ours, reference = (percentile(array("d", side), rank) for side in (timings.ours, timings.reference))
        yield Figure(f"calls_page.{page}.p{rank}_ms", ours, reference, bar=BAR, void=why_void_here())
    yield Figure(f"calls_page.{page}.queries", queries)
