"""The finishing of an hour's call, checked, transcoded and measured, beside one of five minutes."""

from __future__ import annotations

import json
from collections.abc import Iterator

from figures import Figure, Table
from options import Options
from product import Product

MINUTES = 5


def measure(product: Product, options: Options) -> Iterator[Table]:
    product = product.another("finishing")
    folders = {"RECORDINGS_DIR": "recordings", "FINISHING_DIR": "work/finishing"}
    product.environment |= {name: str(product.folder / folder) for name, folder in folders.items()}
    script = ("scripts/bench/finish_calls.py", product.line.org_id, str(MINUTES))
    few, hour = json.loads(product.run(*script).splitlines()[-1])
    is_wrong = not (few["is_stored"] and hour["is_stored"])
    yield Table(
        f"An hour's call is finished in less than a minute of one core, in the memory of one of {MINUTES} minutes",
        [
            Figure("finishing.cpu_s", hour["cpu_s"], few["cpu_s"], bar="under 60", wrong=is_wrong),
            Figure("finishing.wall_s", hour["wall_s"], few["wall_s"]),
            Figure("finishing.memory_mb", hour["memory_mb"], few["memory_mb"], bar="at most 1.15 times"),
        ],
    )
