"""The API's figures: an endpoint beside a Django view of the same process that only authenticates and answers."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from api_rounds import Request, Timings, take_turns
from figures import Figure, Table
from load import percentile
from options import Options
from processes import cores
from product import Product
from servers import server

HERE = Path(__file__).resolve().parent
REQUESTS_PER_S = 25
SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "api_settings",
    "LIMIT_SESSION_CREATION": "1000000/h",
    "LIMIT_READ": "1000000/h",
    "VOICE_SESSION_QUEUE_URL": "",
}


def measure(options: Options) -> Iterator[Table]:
    timings = Timings()
    times = max(50, int(options.seconds * REQUESTS_PER_S))
    with tempfile.TemporaryDirectory(prefix="voiceapp-bench-") as name:
        folder = Path(name)
        product = Product(folder, calls=max(options.calls), **SETTINGS)
        product.environment["PYTHONPATH"] += os.pathsep + str(HERE)
        key = product.run("manage.py", "create_api_key", product.line.org_id).strip()
        for _ in range(options.runs):
            seen = _voice_sessions(product, key, folder, times)
            timings.ours += seen.ours
            timings.reference += seen.reference
    yield Table(
        "What POST /voice-session costs more than a view that only authenticates and answers",
        [figure("voice_session", timings, rank) for rank in (50, 99)],
    )


def figure(name: str, timings: Timings, rank: int) -> Figure:
    void = "the load has no core of its own" if len(set(cores())) == 1 else ""
    ours, reference = (percentile(array("d", side), rank) for side in (timings.ours, timings.reference))
    return Figure(f"{name}.p{rank}_ms", ours, reference, void=void)


def _voice_sessions(product: Product, key: str, folder: Path, times: int) -> Timings:
    """Creating one, while the provider answers at once."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    body = json.dumps({"instructions": "Be brief.", "text_only": False}).encode()
    command = [sys.executable, str(HERE / "instant_provider.py"), str(product.provider_port)]
    load_core = cores()[1]
    with (
        server(
            command, port=product.provider_port, core=load_core, environment=os.environ, log=folder / "provider.log"
        ),
        product.serve(cores()[0]),
        on_core(load_core),
    ):
        return take_turns(
            product.port,
            Request("POST", "/voice-session", body, headers=headers),
            Request("POST", "/bench/reference", body, headers=headers),
            times=times,
        )


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """This process keeps to one core inside the block."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
