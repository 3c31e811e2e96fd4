"""A real Celery worker, as production starts it, in a process group of its own that can be killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from django.conf import settings

from voiceapp.tests.database import database_url
from voiceapp.tests.waiting import soon

READY = b"ready."


@contextlib.contextmanager
def worker_process(
    folder: Path, environment: Mapping[str, str], *, has_beat: bool = True, concurrency: int = 1, app: str = "voiceapp"
) -> Iterator[subprocess.Popen[bytes]]:
    """It takes messages when the block begins, and ends by SIGKILL. `environment` names the broker."""
    command = [
        sys.executable, "-m", "celery", "-A", app, "worker", "--concurrency", str(concurrency), "--loglevel", "info",
        "--without-gossip", "--without-mingle",
    ]  # fmt: skip
    if has_beat:
        command += ["--beat", "--schedule", str(folder / "beat")]
    log = folder / "worker.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=settings.BASE_DIR, env=whole(environment), stdout=output, stderr=output, start_new_session=True
        )
    try:
        until(lambda: READY in log.read_bytes() or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        yield process
    finally:
        kill(process)


def whole(environment: Mapping[str, str]) -> dict[str, str]:
    """With this machine's own, and the tests' database."""
    return os.environ | {"DATABASE_URL": database_url(), "REDIS_URL": ""} | dict(environment)


def folder_broker(folder: Path) -> str:
    """A broker that needs no server, as `make run` has it."""
    return f"filesystem://{folder / 'queue'}"


def kill(process: subprocess.Popen[bytes]) -> None:
    """All of it at once, as a machine loses its power."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


def until(is_so: Callable[[], object], *, within_s: float = 45) -> None:
    """At a pace that leaves the processor to the other process."""
    soon(is_so, within_s=within_s, every_s=0.1)
