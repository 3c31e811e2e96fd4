"""Rounds of the load: on the product and on a bare relay, each in new processes with a core of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import TypeVar

import msgspec
import node_peer
from certificate import write_certificate
from load import Audience, Plan
from processes import cores, family, prefer
from product import HERE, Product
from progress import say
from servers import free_port, server

RING_AND_SETTLE_S = 300
Seen = TypeVar("Seen")
NO_SETTINGS: Mapping[str, str] = {}


class Sides:
    """The product and its references."""

    def __init__(self, product: Product) -> None:
        self._product = product
        self._folder = folder = product.folder
        self._product.run("scripts/bench/keep_greetings.py")
        self._node_script: Path | None = None
        self.certificate = str(write_certificate(folder / "provider.pem"))

    def relay(self, kind: type[Seen], plan: Plan) -> Seen:
        """What a round of the load saw of the reference."""
        say(f"the relay: {_what(plan)}")
        port, provider_port = free_port(), free_port()
        tls = "s" if plan.manner.certificate else ""
        provider = f"ws{tls}://127.0.0.1:{provider_port}/v1/realtime?model=reference"
        command = [sys.executable, str(HERE / "relay.py"), "--port", str(port), "--provider", provider]
        environment = os.environ | {"SSL_CERT_FILE": self.certificate}
        log = self._folder / "relay.log"
        with server(command, port=port, core=cores()[0], environment=environment, log=log) as process:
            streams = [f"ws://127.0.0.1:{port}/"]
            return play(kind, replace(plan, pids=[process.pid], provider_port=provider_port, streams=streams))

    def node(self, kind: type[Seen], plan: Plan) -> Seen:
        """What it saw of the peer. Raises NodeUnavailable."""
        say(f"Node: {_what(plan)}")
        port, provider_port = free_port(), free_port()
        script = self._node_script = self._node_script or node_peer.install(self._folder)
        provider = f"ws://127.0.0.1:{provider_port}/v1/realtime?model=reference"
        with node_peer.serve(script, port=port, provider=provider, core=cores()[0]) as process:
            streams = [f"ws://127.0.0.1:{port}/"]
            return play(kind, replace(plan, pids=[process.pid], provider_port=provider_port, streams=streams))

    def product(
        self, kind: type[Seen], plan: Plan, *, settings: Mapping[str, str] = NO_SETTINGS, processes: int = 1
    ) -> Seen:
        """What it saw of the product, with so many processes on one core."""
        say(f"the product: {_what(plan)}")
        product = self._product
        environment = {"KEEP_GREETINGS": "false", **settings}  # frames of a kept greeting are no frames of the load
        if plan.manner.certificate:
            environment |= {
                "OPENAI_BASE_URL": f"https://127.0.0.1:{product.provider_port}/v1",
                "SSL_CERT_FILE": self.certificate,
            }
        with ExitStack() as stack:
            serving = [
                stack.enter_context(product.serve(cores()[0], port=free_port(), **environment))
                for _ in range(processes)
            ]
            for each in serving:
                for database_process in family(each.pid)[1:]:
                    # As in production: where there is time. It yields to the load, too.
                    os.sched_setaffinity(database_process, cores())
            plan = replace(
                plan,
                pids=[each.pid for each in serving],
                provider_port=product.provider_port,
                webhooks=[each.webhook for each in serving],
                dialed=serving[0].dialed,
            )
            return play(kind, plan, TWILIO_AUTH_TOKEN=product.auth_token)

    def product_over_vapi(self, kind: type[Seen], plan: Plan) -> Seen:
        """The same, with agents that are assistants of VAPI's."""
        desk_port = free_port()
        settings = {"VAPI_API_KEY": "of-the-load", "VAPI_BASE_URL": f"http://127.0.0.1:{desk_port}"}
        plan = replace(plan, manner=replace(plan.manner, vapi_port=desk_port))
        self._product.run("scripts/bench/choose_provider.py", "vapi")
        try:
            return self.product(kind, plan, settings=settings)
        finally:
            self._product.run("scripts/bench/choose_provider.py", "openai")

    def products_that_record_in_turn(self, kind: type[Seen], plan: Plan) -> Seen:
        """The same, in two processes, of which the round lets one record at a time."""
        folder = self._folder / "recordings"
        plan = replace(plan, round="recorded", audience=Audience(database=str(self._product.database)))
        try:
            return self.product(kind, plan, settings={"RECORDINGS_DIR": str(folder)}, processes=2)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def product_that_records(self, kind: type[Seen], plan: Plan) -> tuple[Seen, float]:
        """The same, with agents whose calls this server records; and the KB that it wrote per second of a call."""
        folder = self._folder / "recordings"
        self._product.run("scripts/bench/choose_recording.py", "bridge")
        try:
            seen = self.product(kind, plan, settings={"RECORDINGS_DIR": str(folder)})
            return seen, float(self._product.run("scripts/bench/spooled.py", str(folder / "spool")))
        finally:
            self._product.run("scripts/bench/choose_recording.py", "off")
            shutil.rmtree(folder, ignore_errors=True)


def _what(plan: Plan) -> str:
    return f"{plan.round}, {' and '.join(map(str, sorted(plan.calls)))} calls"


def play(kind: type[Seen], plan: Plan, **secrets: str) -> Seen:
    """What the load, in a process on the other core, saw of the processes that the plan names."""
    process = subprocess.Popen(
        [sys.executable, str(HERE / "play.py"), msgspec.json.encode(asdict(plan)).decode()],
        stdout=subprocess.PIPE,
        env=os.environ | secrets,
        start_new_session=True,
    )
    os.sched_setaffinity(process.pid, {cores()[1]})
    prefer(process.pid)
    try:
        output, _ = process.communicate(timeout=plan.seconds + RING_AND_SETTLE_S)
    finally:
        process.kill()
        process.wait()
    if process.returncode:
        raise SystemExit("the load failed: what it says of the reason stands above")
    return msgspec.json.decode(output, type=kind)
