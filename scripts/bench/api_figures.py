"""The API's figures: an endpoint beside a Django view of the same process that only authenticates and answers."""

from __future__ import annotations

import json
import os
import sys
from array import array
from collections.abc import Iterator
from contextlib import contextmanager

from api_rounds import Request, Timings, take_turns
from figures import Figure, Table
from load import percentile
from options import Options
from processes import cores, why_void_here
from product import HERE, WITH_REFERENCE, Product
from servers import server

REQUESTS_PER_S = 25
SETTINGS = {
    "PYTHONPATH": WITH_REFERENCE,
    "DJANGO_SETTINGS_MODULE": "api_settings",
    "LIMIT_SESSION_CREATION": "1000000/h",
    "LIMIT_READ": "1000000/h",
    "VOICE_SESSION_QUEUE_URL": "",
}


def measure(product: Product, options: Options) -> Iterator[Table]:
    timings = Timings()
    times = max(50, int(options.seconds * REQUESTS_PER_S))
    product = product.another("api", **SETTINGS)
    key = product.run("manage.py", "create_api_key", product.line.org_id).strip()
    for _ in range(options.runs):
        timings.add(_voice_sessions(product, key, times))
    yield Table(
        "What POST /voice-session costs more than a view that only authenticates and answers",
        [figure("voice_session", timings, rank) for rank in (50, 99)],
    )


def figure(name: str, timings: Timings, rank: int) -> Figure:
    void = why_void_here()
    ours, reference = (percentile(array("d", side), rank) for side in (timings.ours, timings.reference))
    return Figure(f"{name}.p{rank}_ms", ours, reference, void=void)


def _voice_sessions(product: Product, key: str, times: int) -> Timings:
    """Creating one, while the provider answers at once."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    body = json.dumps({"instructions": "Be brief.", "text_only": False}).encode()
    command = [sys.executable, str(HERE / "instant_provider.py"), str(product.provider_port)]
    load_core, log = cores()[1], product.folder / "provider.log"
    with (
        server(command, port=product.provider_port, core=load_core, environment=os.environ, log=log),
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
