"""Rounds of the same load: on the product and on a bare relay, turn and turn about, each in a new process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from frames import Faults
from load import Plan, Sight
from options import Options
from processes import cores
from product import Product
from servers import free_port, server

HERE = Path(__file__).resolve().parent
LOAD_ENDS_WITHIN_S = 60


@dataclass(frozen=True, slots=True)
class Rounds:
    """What the load saw in each round of either side."""

    ours: list[Sight]
    reference: list[Sight]

    def sides(self, summary: Callable[[list[float]], float], of: Callable[[Sight], float]) -> tuple[float, float]:
        """One number for ours and one for the reference."""
        return summary([of(seen) for seen in self.ours]), summary([of(seen) for seen in self.reference])


def play(options: Options, calls: int) -> Rounds:
    rounds = Rounds([], [])
    with tempfile.TemporaryDirectory(prefix="voiceapp-bench-") as name:
        product = Product(Path(name), calls=calls)
        for _ in range(options.runs):
            rounds.reference.append(_load_the_relay(options, calls, Path(name)))
            rounds.ours.append(_load_the_product(options, calls, product))
    return rounds


def _load_the_relay(options: Options, calls: int, folder: Path) -> Sight:
    port, provider_port = free_port(), free_port()
    provider = f"ws://127.0.0.1:{provider_port}/v1/realtime?model=reference"
    command = [str(HERE / "relay.py"), "--port", str(port), "--provider", provider]
    with server(command, port=port, core=cores()[0], environment=os.environ, log=folder / "relay.log") as process:
        stream = f"ws://127.0.0.1:{port}/"
        return _load(Plan(process.pid, provider_port, calls, options.seconds, stream=stream))


def _load_the_product(options: Options, calls: int, product: Product) -> Sight:
    with product.serve(cores()[0]) as serving:
        plan = Plan(
            serving.pid,
            product.provider_port,
            calls,
            options.seconds,
            webhook=serving.webhook,
            dialed=serving.dialed,
        )
        return _load(plan, TWILIO_AUTH_TOKEN=serving.auth_token)


def _load(plan: Plan, **secrets: str) -> Sight:
    process = subprocess.Popen(
        [sys.executable, str(HERE / "load.py"), json.dumps(asdict(plan))],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | secrets,
    )
    os.sched_setaffinity(process.pid, {cores()[1]})
    try:
        output, _ = process.communicate(timeout=plan.seconds + LOAD_ENDS_WITHIN_S + plan.calls)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise
    if process.returncode:
        raise SystemExit("the load failed: what it says of the reason stands above")
    seen = json.loads(output)
    return Sight(**seen | {"faults": Faults(**seen["faults"])})
