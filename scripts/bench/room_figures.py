"""Agents in LiveKit rooms, with the simulated LiveKit and the simulated OpenAI: how soon they come and answer."""

from __future__ import annotations

import importlib.util
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
from figures import Figure, Table
from options import Options
from processes import cores
from product import HERE, ROOT, Product
from servers import free_port, server

CALLS = 10
WITHIN_S = 180
REGISTERED_WITHIN_S = 60
WORKER = ("manage.py", "run_agent", "--idle", "2", "--calls", "20")


class Seen(msgspec.Struct):
    """What the callers of `rooms.py` waited for, and how much the worker grew."""

    joined_s: list[float]
    answered_s: list[float]
    at_once_s: list[float]
    kb_per_call: float


def measure(product: Product, options: Options) -> Iterator[Table]:
    if importlib.util.find_spec("livekit.agents") is None:
        yield Table("Agents in rooms are not measured: `make setup-agent` installs what they need.", [])
        return
    livekit_port, health_port = free_port(), free_port()
    keys = {"LIVEKIT_API_KEY": "APIbench", "LIVEKIT_API_SECRET": secrets.token_hex(24)}
    product = product.another(
        "rooms", **keys, LIMIT_SESSION_CREATION="1000000/h", LIVEKIT_HOST=f"http://127.0.0.1:{livekit_port}"
    )
    key = product.run("manage.py", "create_api_key", product.line.org_id).strip()
    with ExitStack() as stack:
        serving = stack.enter_context(product.serve(cores()[0]))
        simulators = product.environment | {
            "LIVEKIT_WEBHOOK_URL": f"{product.environment['PUBLIC_BASE_URL']}/api/voice/webhook"
        }

        def start(name: str, port: int, *command: str, environment: dict[str, str]) -> subprocess.Popen[bytes]:
            log = product.folder / f"{name}.log"
            started = server([sys.executable, *command], port=port, core=cores()[1], environment=environment, log=log)
            return stack.enter_context(started)

        start("livekit", livekit_port, "-m", "voiceapp.simulators.livekit", "--no-agents", "--port", str(livekit_port),
              environment=simulators)  # fmt: skip
        start("openai", product.provider_port, "-m", "voiceapp.simulators.openai", "--port",
              str(product.provider_port), environment=simulators)  # fmt: skip
        worker = start("worker", health_port, str(ROOT / WORKER[0]), *WORKER[1:], "--port", str(health_port),
                       environment=product.environment)  # fmt: skip
        os.sched_setaffinity(worker.pid, set(cores()))
        _wait_until_registered(product.folder / "worker.log")
        seen = _play(serving.webhook.partition("/twiml")[0], key, worker.pid, product)
    yield Table(
        f"Agents in rooms, with two warm processes: alone, and {CALLS} at once (the model waits for a silence)",
        [
            Figure("rooms.joined_ms", 1000 * max(seen.joined_s)),
            Figure("rooms.answered_ms", 1000 * max(seen.answered_s)),
            Figure(f"rooms.joined_of_{CALLS}_at_once_ms", 1000 * max(seen.at_once_s), bar="under 3000"),
            Figure("rooms.pss_mib_per_call", seen.kb_per_call / 1024, bar="under 100"),
        ],
    )


def _wait_until_registered(log: Path) -> None:
    give_up_at = time.monotonic() + REGISTERED_WITHIN_S
    while b"registered worker" not in log.read_bytes():
        if time.monotonic() > give_up_at:
            raise SystemExit(f"no worker of agents:\n{log.read_text()[-3000:]}")
        time.sleep(0.1)


def _play(url: str, key: str, worker: int, product: Product) -> Seen:
    command = [sys.executable, str(HERE / "rooms.py"), url, key, str(CALLS), str(worker)]
    done = subprocess.run(
        command, env=product.environment | {"PYTHONPATH": f"{ROOT}{os.pathsep}{HERE}"}, capture_output=True, text=True,
        timeout=WITHIN_S, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"the callers in rooms failed:\n{done.stderr[-3000:]}")
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Seen)
