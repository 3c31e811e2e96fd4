"""The simulator of AWS as a process of its own, at a free port."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator

START_WITHIN_S = 30


@contextlib.contextmanager
def running_aws() -> Iterator[str]:
    """Its base URL, for AWS_ENDPOINT_URL; any key opens it. What it keeps ends with it."""
    process = start()
    try:
        yield address(process)
    finally:
        process.kill()
        process.wait(5)
        assert process.stdout
        process.stdout.close()


def start(port: int = 0) -> subprocess.Popen[str]:
    """The process alone, for those who kill it themselves."""
    return subprocess.Popen(
        [sys.executable, "-m", "voiceapp.simulators.aws", "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def address(process: subprocess.Popen[str]) -> str:
    """Where it listens, once it does."""
    assert process.stdout
    line = process.stdout.readline()
    assert line.startswith("listening on "), line
    return line.removeprefix("listening on ").strip()
