"""Run a command beside throw-away PostgreSQL, Redis and RabbitMQ servers from Debian's packages.

usage: python scripts/with_servers.py COMMAND…

The servers listen on 127.0.0.1 at free ports, keep everything in a temporary folder, and are ended by their process ids
when the command ends. As root, PostgreSQL runs as the user `postgres` that its package made.
"""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

READY_WITHIN_S = 60


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
        [server, "-D", str(cluster), "-p", str(port), "-h", "127.0.0.1", "-k", str(cluster), "-c", "fsync=off"],
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


@contextlib.contextmanager
def redis(folder: Path) -> Iterator[str]:
    port = free_port()
    process = subprocess.Popen(
        [
            program("redis-server", "redis-server"),
            "--port",
            str(port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--dir",
            str(folder),
        ],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_for(port, "Redis", process)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        stop(process)


@contextlib.contextmanager
def rabbitmq(folder: Path) -> Iterator[str]:
    # The wrapper on the PATH changes to the system's user and home; the program behind it keeps to our folder.
    server = "/usr/lib/rabbitmq/bin/rabbitmq-server"
    if not Path(server).exists():
        raise SystemExit("rabbitmq-server is not installed: apt-get install rabbitmq-server")
    home = folder / "rabbitmq"
    home.mkdir()
    port, distribution_port, mapper_port = free_port(), free_port(), free_port()
    process = subprocess.Popen(
        [server],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ
        | {
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
        },
    )
    try:
        wait_for(port, "RabbitMQ", process)
        yield f"amqp://guest:guest@127.0.0.1:{port}//"
    finally:
        stop(process)
        # Erlang's port mapper put itself into the background on our port.
        epmd = program("epmd", "erlang-base", "/usr/lib/erlang/erts-*/bin")
        subprocess.run([epmd, "-port", str(mapper_port), "-kill"], check=False, stdout=subprocess.DEVNULL)


def main(command: list[str]) -> int:
    if not command:
        raise SystemExit(__doc__)
    with tempfile.TemporaryDirectory(prefix="voiceapp-servers-") as name, contextlib.ExitStack() as servers:
        folder = Path(name)
        folder.chmod(0o755)
        environment = os.environ | {
            "DATABASE_URL": servers.enter_context(postgres(folder)),
            "REDIS_URL": servers.enter_context(redis(folder)),
            "CELERY_BROKER_URL": servers.enter_context(rabbitmq(folder)),
        }
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
