"""A real livekit-server for tests and for work on this machine: installed with Go, started on loopback alone.

There is no package of it for Debian or Python. Later versions are not built by `go install`.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voiceapp.tests.servers import free_port, stop, wait_for

VERSION = "1.13.5"
ROOT = Path(__file__).resolve().parents[2]
# Ignored by Git. A new version gets a folder of its own.
FOLDER = ROOT / "var" / "livekit-server"
PROGRAM = FOLDER / VERSION / "livekit-server"
MODULE = f"github.com/livekit/livekit-server/cmd/server@v{VERSION}"

# A room of few people takes hundredths of a core. Optimization and debug information would double the time to build.
NOT_OPTIMIZED = ("-gcflags=all=-N -l -dwarf=false", "-ldflags=-s -w")

API_KEY = "devkey"
API_SECRET = "a-secret-of-thirty-two-characters-for-loopback"

TERMINATIONS = 5


class NoGo(Exception):
    """livekit-server cannot be installed."""


def find_go() -> str | None:
    """The path of the Go command, also where it is not on the PATH."""
    return shutil.which("go") or shutil.which("go", path="/usr/local/go/bin:/usr/lib/go/bin")


def why_not_there() -> str:
    """The reason why no server can be started, for a test that is skipped; "" if one can."""
    if PROGRAM.exists():
        return ""
    missing = "" if find_go() else " Go is not installed here."
    return f"livekit-server {VERSION} is not installed: `make livekit-server` does it with Go.{missing}"


def install(log: Path | None = None) -> Path:
    """The program, which is built if it is not there: in about three minutes, at a low priority.

    Raises NoGo, and CalledProcessError. A second one that runs at the same time waits for the first.
    """
    if PROGRAM.exists():
        return PROGRAM
    go = find_go()
    if go is None:
        raise NoGo(why_not_there())
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not PROGRAM.exists():
            _build(go, log)
    return PROGRAM


def _build(go: str, log: Path | None) -> None:
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder, contextlib.ExitStack() as stack:
        output = stack.enter_context(log.open("wb")) if log else None
        command = ["nice", "-n", "19", go, "install", "-p", "2", *NOT_OPTIMIZED, MODULE]
        subprocess.run(command, env=os.environ | {"GOBIN": folder}, check=True, stdout=output, stderr=output)
        PROGRAM.parent.mkdir(exist_ok=True)
        # It is there as a whole or not at all.
        os.replace(Path(folder) / "server", PROGRAM)


def configuration(
    *,
    port: int,
    udp_port: int,
    webhook_urls: Sequence[str] = (),
    auto_create: bool = False,
    secret: str = API_SECRET,
) -> dict[str, object]:
    """Everything on 127.0.0.1. Without `stun_servers` clients would be sent to a server of Google's."""
    return {
        "port": port,
        "bind_addresses": ["127.0.0.1"],
        "rtc": {
            "node_ip": "127.0.0.1",
            "use_external_ip": False,
            "enable_loopback_candidate": True,
            "interfaces": {"includes": ["lo"]},
            "udp_port": udp_port,
            "tcp_port": 0,
            "stun_servers": ["127.0.0.1:3478"],
        },
        "keys": {API_KEY: secret},
        "webhook": {"api_key": API_KEY, "urls": list(webhook_urls)},
        "room": {"auto_create": auto_create, "empty_timeout": 300, "departure_timeout": 20},
        "logging": {"level": "info"},
    }


def command(config: dict[str, object], folder: Path) -> list[str]:
    """Starts the server; its configuration, which holds the secret, is readable by its owner only."""
    file = folder / "livekit.yaml"
    file.touch(mode=0o600)
    file.write_text(json.dumps(config))  # JSON is YAML
    return [str(PROGRAM), "--config", str(file)]


@dataclass(frozen=True, slots=True)
class RealLiveKit:
    """One that runs; `log` is its output, `pid` its process."""

    url: str
    pid: int
    log: Path

    @property
    def environment(self) -> dict[str, str]:
        """What the product must be given."""
        return {
            "LIVEKIT_HOST": self.url.replace("http", "ws", 1),
            "LIVEKIT_INTERNAL_URL": self.url,
            "LIVEKIT_API_KEY": API_KEY,
            "LIVEKIT_API_SECRET": API_SECRET,
        }


@contextlib.contextmanager
def running(folder: Path, *, webhook_urls: Sequence[str] = (), auto_create: bool = False) -> Iterator[RealLiveKit]:
    """A server at free ports. `auto_create`: whether a token may open a room that was not made."""
    port = free_port()
    config = configuration(port=port, udp_port=free_udp_port(), webhook_urls=webhook_urls, auto_create=auto_create)
    log = folder / "livekit.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command(config, folder), stdout=output, stderr=output, start_new_session=True, cwd=folder
        )
    try:
        wait_for(port, f"livekit-server, whose log is {log},", process)
        yield RealLiveKit(f"http://127.0.0.1:{port}", process.pid, log)
    finally:
        end(process)


def end(process: subprocess.Popen[Any]) -> None:
    """It overhears a signal in its first tenth of a second, waits for people after one, and goes after the second."""
    for _ in range(TERMINATIONS):
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(1)
            return
    stop(process)


def free_udp_port() -> int:
    """A free UDP port of loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
