"""PostgreSQL, Redis and RabbitMQ from Debian's packages, to be thrown away: on 127.0.0.1, at free ports, in a folder.

They are ended by their process ids. As root, PostgreSQL runs as the user `postgres` that its package made.
"""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

READY_WITHIN_S = 60
# It need not outlive a power cut; each process of the tests has a pool of threads with connections.
POSTGRES_OPTIONS = ("-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=300")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(port: int, name: str, process: subprocess.Popen[bytes]) -> None:
    """Return when something listens on the port; say what to look at when nothing does."""
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"{name} ended at once with status {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise SystemExit(f"{name} did not listen on port {port} within {READY_WITHIN_S} s")


def program(name: str, package: str, *places: str) -> str:
    """The path of a program, or an explanation of which package brings it."""
    found = shutil.which(name) or next(
        (path for place in places for path in sorted(glob.glob(f"{place}/{name}"))), None
    )
    if found is None:
        raise SystemExit(f"{name} is not installed: apt-get install {package}")
    return found


def stop(process: subprocess.Popen[bytes], sign: signal.Signals = signal.SIGTERM) -> None:
    """End a server and what it started; it leads its own process group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, sign)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(5)


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[str]:
    initdb = program("initdb", "postgresql", "/usr/lib/postgresql/*/bin")
    server = program("postgres", "postgresql", "/usr/lib/postgresql/*/bin")
    user: dict[str, str] = {"user": "postgres"} if os.geteuid() == 0 else {}
    cluster = folder / "postgresql"
    cluster.mkdir()
    if user:
        shutil.chown(cluster, "postgres")
    port = free_port()
    subprocess.run(
        [initdb, "-D", str(cluster), "-U", "voiceapp", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd="/",
        **user,  # type: ignore[call-overload]  # user= is Popen's
    )
    process = subprocess.Popen(
        [server, "-D", str(cluster), "-p", str(port), "-h", "127.0.0.1", "-k", str(cluster), *POSTGRES_OPTIONS],
        start_new_session=True,
        cwd="/",
        stderr=subprocess.DEVNULL,
        **user,  # type: ignore[call-overload]  # user= is Popen's
    )
    try:
        wait_for(port, "PostgreSQL", process)
        yield f"postgres://voiceapp@127.0.0.1:{port}/postgres"
    finally:
        stop(process, signal.SIGINT)


@dataclass
class Server:
    """One at a port of its own: killed and started again, it is the same server."""

    name: str
    command: list[str]
    port: int
    url: str
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | dict(self.environment),
        )
        wait_for(self.port, self.name, self.process)

    def kill(self) -> None:
        stop(self.process, signal.SIGKILL)


@contextlib.contextmanager
def redis(folder: Path) -> Iterator[Server]:
    port = free_port()
    binary = program("redis-server", "redis-server")
    command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    server = Server("Redis", command, port, f"redis://127.0.0.1:{port}/0")
    try:
        server.start()
        yield server
    finally:
        stop(server.process)


@contextlib.contextmanager
def rabbitmq(folder: Path) -> Iterator[Server]:
    # The wrapper on the PATH changes to the system's user and home; the program behind it keeps to our folder.
    binary = "/usr/lib/rabbitmq/bin/rabbitmq-server"
    if not Path(binary).exists():
        raise SystemExit("rabbitmq-server is not installed: apt-get install rabbitmq-server")
    home = folder / "rabbitmq"
    home.mkdir()
    port, distribution_port, mapper_port = free_port(), free_port(), free_port()
    environment = {
        "HOME": str(home),
        "RABBITMQ_NODENAME": f"voiceapp{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(distribution_port),
        "RABBITMQ_MNESIA_BASE": str(home / "mnesia"),
        "RABBITMQ_LOG_BASE": str(home / "log"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "plugins"),
        "RABBITMQ_PID_FILE": str(home / "pid"),
        "ERL_EPMD_PORT": str(mapper_port),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
    }
    server = Server("RabbitMQ", [binary], port, f"amqp://guest:guest@127.0.0.1:{port}//", environment)
    try:
        server.start()
        yield server
    finally:
        stop(server.process)
        # Erlang's port mapper put itself into the background on our port.
        epmd = program("epmd", "erlang-base", "/usr/lib/erlang/erts-*/bin")
        subprocess.run([epmd, "-port", str(mapper_port), "-kill"], check=False, stdout=subprocess.DEVNULL)
