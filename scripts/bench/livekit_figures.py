"""LiveKit's webhook: verified, stored and answered, beside a view that only verifies and answers; then processed."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from array import array
from collections.abc import Iterator
from statistics import mean

import jwt
from api_figures import on_core
from api_rounds import Client, Request, Timings
from figures import Figure, Table
from load import percentile
from options import Options
from processes import cores, why_void_here
from product import WITH_REFERENCE, Product

REQUESTS_PER_S = 25
WARM_UP = 50
ROOMS = 20
KEY, SECRET = "APIbench", secrets.token_hex(32)
SETTINGS = {
    "PYTHONPATH": WITH_REFERENCE,
    "DJANGO_SETTINGS_MODULE": "livekit_settings",
    "LIVEKIT_HOST": "http://127.0.0.1:1",
    "LIVEKIT_API_KEY": KEY,
    "LIVEKIT_API_SECRET": SECRET,
}


def measure(product: Product, options: Options) -> Iterator[Table]:
    timings, processed_per_s = Timings(), array("d")
    times = max(50, int(options.seconds * REQUESTS_PER_S))
    product = product.another("livekit", **SETTINGS)
    for _ in range(options.runs):
        with product.serve(cores()[0]), on_core(cores()[1]):
            send_events(Client(product.port), times, timings)
        processed_per_s.append(json.loads(product.run("scripts/bench/process_inbox.py").splitlines()[-1])["per_s"])
    void = why_void_here()
    ranks = [
        Figure(f"livekit_webhook.p{rank}_ms", *_both(timings, rank), bar="under 10", void=void) for rank in (50, 99)
    ]
    rates = 1000 / mean(timings.ours), 1000 / mean(timings.reference)
    yield Table(
        "What LiveKit's webhook costs more than a view that only verifies and answers",
        [
            *ranks,
            Figure("livekit_webhook.per_s", *rates, void=void),
            Figure("livekit_webhook.processed_per_s", percentile(processed_per_s, 50), bar="more than arrive"),
        ],
    )


def send_events(client: Client, times: int, timings: Timings) -> None:
    """Each event is a new one: a repeated one is less work."""
    for turn in range(WARM_UP + times):
        ours = client.ms(_event("/api/voice/webhook", turn))
        reference = client.ms(_event("/bench/reference", turn))
        if turn >= WARM_UP:
            timings.ours.append(ours)
            timings.reference.append(reference)


def _event(path: str, turn: int) -> Request:
    """Somebody joins one of the rooms."""
    now_s = int(time.time())
    body = json.dumps(
        {
            "event": "participant_joined",
            "id": f"EV_{secrets.token_hex(8)}",
            "createdAt": str(now_s),
            "room": {"sid": f"RM_{turn % ROOMS}", "name": f"support-{turn % ROOMS}", "creationTime": str(now_s)},
            "participant": {
                "sid": f"PA_{turn}",
                "identity": f"caller-{turn}",
                "joinedAt": str(now_s),
                "state": "ACTIVE",
            },
        }
    ).encode()
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    token = jwt.encode({"iss": KEY, "nbf": now_s, "exp": now_s + 300, "sha256": digest}, SECRET, algorithm="HS256")
    headers = {"Authorization": token, "Content-Type": "application/webhook+json"}
    return Request("POST", path, body, headers=headers)


def _both(timings: Timings, rank: int) -> tuple[float, float]:
    return percentile(array("d", timings.ours), rank), percentile(array("d", timings.reference), rank)
