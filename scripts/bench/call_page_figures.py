"""The call page over WebRTC to the simulated OpenAI: how soon it is usable, is heard, and shows what is said."""

from __future__ import annotations

import json
import os
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

import call_page
from call_page import PageCall
from figures import Figure, Table
from options import Options
from product import Product
from servers import server

CALLS = 5
CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
PARTS = {
    "permission": "until the browser has the microphone",
    "secret": "until the call has its secret",
    "sdp": "until the offer is answered",
    "first_audio": "until the greeting is heard",
}
SIMULATOR = "voiceapp.simulators.openai"


def measure(product: Product, options: Options) -> Iterator[Table]:
    if not CHROMIUM.exists():
        yield Table(f"The call page is not measured: {CHROMIUM} does not exist. CHROMIUM names another Chromium.", [])
        return
    address = f"http://127.0.0.1:{product.provider_port}/fault/stamped/v1"
    product = product.another("page", OPENAI_BASE_URL=address, LIMIT_SESSION_CREATION="1000000/h")
    opened = json.loads(product.run("scripts/bench/open_call_page.py", product.line.org_id).splitlines()[-1])
    command = [sys.executable, "-m", SIMULATOR, "--port", str(product.provider_port)]
    log = product.folder / "openai.log"
    with (
        server(command, port=product.provider_port, core=None, environment=product.environment, log=log),
        product.serve(None) as serving,
    ):
        address = serving.webhook.partition("/twiml")[0]
        calls = call_page.play(
            address, opened["path"], opened["session"], chromium=CHROMIUM, folder=product.folder, calls=CALLS
        )
    yield Table(
        f"The call page in Chromium with the simulated OpenAI: {CALLS - 1} calls after a first one", judge(calls)
    )


def judge(calls: list[PageCall]) -> list[Figure]:
    """Medians, without the first call of a new process and a new browser, which stands in the notes."""
    later = calls[1:]
    parts = [
        Figure(f"call_page.{name}_ms", _median([call.parts_ms[name] for call in later]), note=f"of it, {what}")
        for name, what in PARTS.items()
    ]
    slowest = [max(_shown(call), default=0.0) for call in calls]
    texts = sum(len(_delays(call)) for call in calls)
    missing = texts - sum(len(_shown(call)) for call in calls)
    callers = sum(len(call.captions.get("caller", ())) for call in calls)
    heaviest = max(calls, key=lambda call: call.bytes)
    return [
        _beside_the_first("call_page.usable_ms", [call.usable_ms for call in calls], bar="under 1000"),
        Figure(
            "call_page.kb",
            heaviest.bytes / 1000,
            bar="under 100",
            note=f"uncompressed; the largest: {heaviest.largest}",
        ),
        _beside_the_first("call_page.first_sound_ms", [call.first_sound_ms for call in calls], bar="under 1500"),
        *parts,
        Figure("call_page.caption_p50_ms", _median([delay for call in later for delay in _shown(call)] or [0.0])),
        Figure(
            "call_page.caption_max_ms",
            max(slowest[1:]),
            bar="under 300",
            note=f"in the first one {slowest[0]:.0f}; {texts} texts, {callers} the caller's",
        ),
        Figure("call_page.captions_missing", missing, bar="0", wrong=bool(missing or not callers)),
    ]


def _delays(call: PageCall) -> list[float | None]:
    return [delay for each in call.captions.values() for delay in each]


def _shown(call: PageCall) -> list[float]:
    return [delay for delay in _delays(call) if delay is not None]


def _beside_the_first(name: str, values: list[float], *, bar: str) -> Figure:
    return Figure(
        name, _median(values[1:]), bar=bar, note=f"the first one {values[0]:.0f}, the slowest {max(values[1:]):.0f}"
    )


_median = statistics.median
