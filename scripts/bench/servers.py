"""A server started for one round: on its own core or on all, with its output in a file, and always stopped."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from processes import prefer

READY_WITHIN_S = 60
ENDS_WITHIN_S = 20


class ServerFailed(Exception):
    """It did not start, or ended by itself; the message holds the end of what it wrote."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def server(
    command: Sequence[str], *, port: int, core: int | None, environment: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Yields the process once it accepts connections at the port. `core` None: it may use all."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=dict(environment), start_new_session=True)
    try:
        if core is not None:
            os.sched_setaffinity(process.pid, {core})
        prefer(process.pid)
        _wait_until_ready(process, port, log)
        yield process
        if process.poll() is not None:
            raise ServerFailed(f"{command} ended with {process.returncode}\n{_end_of(log)}")
    finally:
        process.terminate()
        try:
            process.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    give_up_at = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < give_up_at and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise ServerFailed(f"nothing listens on port {port}\n{_end_of(log)}")


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-3000:]
