"""Agents in LiveKit rooms, with a model that answers at once: how soon they come and answer, and what a call costs."""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
from figures import Figure, Table
from options import Options
from product import HERE, ROOT, Product
from servers import free_port, server

sys.path.append(str(ROOT))

from voiceapp.tests import livekit_server

CALLS = 10
WITHIN_S = 240
REGISTERED_WITHIN_S = 60
WORKER = ("manage.py", "run_agent", "--idle", "2", "--calls", "20")
# It recognizes nothing, and answers each turn with a tone at once.
MODEL = "/fault/deaf/v1"
SILENCE_MS = 500  # after which the demo's agent wants a turn to be over


class Seen(msgspec.Struct):
    """What the callers of `rooms.py` waited for, and what the worker needed for it."""

    joined_s: list[float]
    greeted_s: list[float]
    answered_s: list[float]
    joined_at_once_s: list[float]
    greeted_at_once_s: list[float]
    cpu_s_per_call: dict[str, float]
    kb_per_call: float
    elsewhere_use: float


def measure(product: Product, options: Options) -> Iterator[Table]:
    if importlib.util.find_spec("livekit.agents") is None:
        yield Table("Agents in rooms are not measured: `make setup-agent` installs what they need.", [])
        return
    is_real = livekit_server.PROGRAM.exists()
    with ExitStack() as stack:
        rooms = product.another("rooms", LIMIT_SESSION_CREATION="1000000/h")
        livekit_pid, settings = stack.enter_context(_livekit(rooms, is_real=is_real))
        rooms.environment |= settings | {"OPENAI_BASE_URL": f"http://127.0.0.1:{rooms.provider_port}{MODEL}"}
        key = rooms.run("manage.py", "create_api_key", rooms.line.org_id).strip()
        serving = stack.enter_context(rooms.serve(None))
        health_port = free_port()
        model = stack.enter_context(_started(rooms, "voiceapp.simulators.openai", rooms.provider_port))
        command = [sys.executable, str(ROOT / WORKER[0]), *WORKER[1:], "--port", str(health_port)]
        log = rooms.folder / "worker.log"
        worker = stack.enter_context(
            server(command, port=health_port, core=None, environment=rooms.environment, log=log)
        )
        _wait_until_registered(log)
        pids = {"worker": worker.pid, "LiveKit": livekit_pid, "model": model.pid, "product": serving.pid}
        seen = _play(serving.webhook.partition("/twiml")[0], key, pids, rooms)
    yield Table(
        f"Agents in rooms of {'livekit-server' if is_real else 'the simulated LiveKit'}, with a model that answers at "
        f"once and two warm processes: alone, and {CALLS} at once",
        judge(seen),
    )


def judge(seen: Seen) -> list[Figure]:
    cpu_ms = {name: 1000 * used_s for name, used_s in seen.cpu_s_per_call.items()}
    others = ", ".join(f"{name} {used_ms:.0f}" for name, used_ms in cpu_ms.items() if name != "worker")
    return [
        Figure("rooms.joined_ms", 1000 * _median(seen.joined_s)),
        Figure("rooms.greeted_ms", 1000 * _median(seen.greeted_s)),
        Figure(
            "rooms.answered_ms", 1000 * _median(seen.answered_s) - SILENCE_MS, note=f"after {SILENCE_MS} ms of silence"
        ),
        Figure(f"rooms.joined_of_{CALLS}_at_once_ms", 1000 * max(seen.joined_at_once_s), bar="under 3000"),
        Figure(f"rooms.greeted_of_{CALLS}_at_once_ms", 1000 * max(seen.greeted_at_once_s)),
        Figure("rooms.cpu_ms_per_call_begun", cpu_ms["worker"], note=f"the worker's; {others}"),
        Figure("rooms.pss_mib_per_call", seen.kb_per_call / 1024, bar="under 100"),
        Figure("machine.elsewhere_use", seen.elsewhere_use, bar="0 on a quiet machine"),
    ]


@contextmanager
def _livekit(product: Product, *, is_real: bool) -> Iterator[tuple[int, dict[str, str]]]:
    """The process, and what the product has to know of it. A real one if it is installed: it costs less CPU time."""
    webhook = f"{product.environment['PUBLIC_BASE_URL']}/api/voice/webhook"
    if is_real:
        with livekit_server.running(product.folder, webhook_urls=[webhook]) as real:
            yield real.pid, real.environment
        return
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    keys = {"LIVEKIT_API_KEY": "APIbench", "LIVEKIT_API_SECRET": secrets.token_hex(24)}
    product.environment |= keys | {"LIVEKIT_WEBHOOK_URL": webhook}
    with _started(product, "voiceapp.simulators.livekit", port, "--no-agents") as simulated:
        yield simulated.pid, keys | {"LIVEKIT_HOST": url, "LIVEKIT_INTERNAL_URL": url}


@contextmanager
def _started(product: Product, module: str, port: int, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """A simulator."""
    command = [sys.executable, "-m", module, "--port", str(port), *options]
    log = product.folder / f"{module}.log"
    with server(command, port=port, core=None, environment=product.environment, log=log) as process:
        yield process


def _wait_until_registered(log: Path) -> None:
    give_up_at = time.monotonic() + REGISTERED_WITHIN_S
    while b"registered worker" not in log.read_bytes():
        if time.monotonic() > give_up_at:
            raise SystemExit(f"no worker of agents:\n{log.read_text()[-3000:]}")
        time.sleep(0.1)


def _play(url: str, key: str, pids: dict[str, int], product: Product) -> Seen:
    command = [sys.executable, str(HERE / "rooms.py"), url, key, str(CALLS), json.dumps(pids)]
    done = subprocess.run(
        command, env=product.environment | {"PYTHONPATH": f"{ROOT}{os.pathsep}{HERE}"}, capture_output=True, text=True,
        timeout=WITHIN_S, check=False, start_new_session=True,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"the callers in rooms failed:\n{done.stderr[-3000:]}")
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Seen)


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]
