"""Every free time of ten people in thirty days with 10,000 appointments, beside the bare reading of their rows."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator

from figures import Figure, Table
from load import percentile
from options import Options
from product import Product

APPOINTMENTS = 10_000
TIMES_PER_S = 10
BAR = "under 50"


def measure(product: Product, options: Options) -> Iterator[Table]:
    times = max(20, int(options.seconds * TIMES_PER_S))
    product = product.another("availability")
    script = ("scripts/bench/fill_appointments.py", product.line.org_id, str(APPOINTMENTS), str(times))
    seen = json.loads(product.run(*script).splitlines()[-1])
    yield Table(
        f"Free times are found among {APPOINTMENTS:,} appointments in a fixed number of queries", list(_figures(seen))
    )


def _figures(seen: dict[str, list[float]]) -> Iterator[Figure]:
    for rank in (50, 99):
        ours, reference = (percentile(array("d", seen[name]), rank) for name in ("ours_ms", "read_ms"))
        yield Figure(f"availability.p{rank}_ms", ours, reference, bar=BAR)
    few, many = seen["queries"]
    yield Figure("availability.queries", many, few, bar="= reference", wrong=few != many)
