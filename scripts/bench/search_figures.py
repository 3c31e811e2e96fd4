"""100,000 calls are searched and filtered within 300 ms and exported without memory, on SQLite and on PostgreSQL."""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
from array import array
from collections.abc import Iterator
from urllib.parse import urlencode

from api_figures import SETTINGS, on_core
from api_rounds import Client, Request, Timings, take_turns
from figures import Figure, Table
from load import percentile
from options import Options
from processes import cores, peak_memory_kb, why_void_here
from product import ROOT, Product

sys.path.insert(0, str(ROOT))

from voiceapp.tests.servers import postgres

CALLS, LINES = 100_000, 10
BAR = "under 300"
REQUESTS_PER_S = 5
API, LIST = "/api/voice/search", "/admin/voice_sessions/call/"
# Any token of this form, sent twice, is Django's own of a browser.
TOKEN = "a" * 32
# A word of every third line, a name of few, words of which no line has both, a number as people type it.
TYPED = {
    "frequent": "pizza",
    "rare": "mueller-luedenscheid",
    "never_together": "pizza thank",
    "phrase": '"large pizza funghi"',
    "number": "+49 176 0020000",
}


def measure(product: Product, options: Options) -> Iterator[Table]:
    with contextlib.ExitStack() as servers:
        yield _table("sqlite", product.another("search-sqlite", **SETTINGS), options)
        if not shutil.which("postgres"):
            yield Table("Searches on PostgreSQL are not measured: apt-get install postgresql", [])
            return
        folder = product.folder / "postgres"
        folder.mkdir()
        folder.chmod(0o755)
        product.folder.chmod(0o755)
        url = servers.enter_context(postgres(folder))
        other = product.another("search-postgres", DATABASE_URL=url, **SETTINGS)
        other.run("manage.py", "migrate", "--no-input", "-v", "0")
        other.open_line(10)
        yield _table("postgresql", other, options)


def _table(database: str, product: Product, options: Options) -> Table:
    filled = json.loads(
        product.run("scripts/bench/fill_calls.py", product.line.org_id, str(CALLS), str(LINES)).splitlines()[-1]
    )
    headers = {"Cookie": f"sessionid={filled['session']}"}
    times = max(20, int(options.seconds * REQUESTS_PER_S))
    figures: list[Figure] = []
    with product.serve(cores()[0]) as serving, on_core(cores()[1]):
        reference = Request("GET", "/bench/reference", headers=headers)
        for page, path, searches in (("api", API, TYPED), ("list", LIST, {"all": "", **TYPED})):
            for name, typed in searches.items():
                request = Request("GET", f"{path}?{urlencode({'q': typed})}", headers=headers)
                timings = take_turns(product.port, request, reference, times=times, warm_up=5)
                figures += _figures(f"search.{database}.{page}.{name}", timings)
        for name, query in filled["filters"].items():
            request = Request("GET", f"{LIST}?{query}", headers=headers)
            timings = take_turns(product.port, request, reference, times=times, warm_up=5)
            figures += _figures(f"search.{database}.filter.{name}", timings)
        figures += _exports(f"search.{database}.export", product.port, serving.pid, headers)
    figures.append(Figure(f"search.{database}.api.queries", filled["search_queries"]))
    figures.append(Figure(f"search.{database}.filter.queries", filled["list_queries"]))
    return Table(
        f"What was said on {CALLS:,} calls, in {CALLS * LINES:,} lines, is found at once ({database})", figures
    )


def _exports(name: str, port: int, pid: int, headers: dict[str, str]) -> Iterator[Figure]:
    """All calls, and how much more memory they take than a few of them."""
    posted = {
        **headers,
        "Cookie": f"{headers['Cookie']}; csrftoken={TOKEN}",
        "X-CSRFToken": TOKEN,
        "Content-Type": "application/x-www-form-urlencoded",
    }
    client = Client(port)
    for file_format in ("csv", "json"):
        few, every = (
            Request("POST", f"{LIST}export/", f"format={file_format}&query={query}".encode(), headers=posted)
            for query in ("version%3D3", "")
        )
        client.ms(few)
        few_kb = peak_memory_kb(pid)
        yield Figure(f"{name}.{file_format}.s", client.ms(every) / 1000)
        yield Figure(f"{name}.{file_format}.grown_mib", (peak_memory_kb(pid) - few_kb) / 1024, bar="under 30")


def _figures(name: str, timings: Timings) -> Iterator[Figure]:
    void = why_void_here()
    for rank in (50, 99):
        ours, reference = (percentile(array("d", side), rank) for side in (timings.ours, timings.reference))
        yield Figure(f"{name}.p{rank}_ms", ours, reference, bar=BAR, void=void)
