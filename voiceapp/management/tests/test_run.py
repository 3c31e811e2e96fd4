"""`manage.py run`: a taken port, and a start that fails."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings


@pytest.fixture
def taken() -> Iterator[int]:
    """A port at which another program listens."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def run(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    whole = os.environ | {
        "VAR_DIR": str(folder), "SECRET_KEY": "s" * 50, "INTERNAL_API_KEY": "i" * 40, "DATABASE_URL": "",
        "CELERY_BROKER_URL": "", "REDIS_URL": "",
    } | environment  # fmt: skip
    for name in ("DATABASE_URL", "CELERY_BROKER_URL", "REDIS_URL"):
        whole.pop(name) if not whole[name] else None
    command = [sys.executable, "manage.py", "run", "--call", "none"]
    return subprocess.run(
        command, env=whole, cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=100, check=False
    )


def test_a_port_that_is_taken_is_reported_with_what_to_do(taken: int, tmp_path: Path) -> None:
    done = run(tmp_path, PORT=str(taken))
    assert done.returncode == 1
    assert f"Port {taken} is taken by another program. Choose another one: make run PORT=" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_start_that_fails_makes_no_password_and_no_key(taken: int, tmp_path: Path) -> None:
    """They would be lost: only their hashes are kept, and the next start would call them printed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # The web process cannot start: its listener for metrics is taken.
    done = run(tmp_path, PORT=str(port), METRICS_LISTEN=f"127.0.0.1:{taken}")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "web ended with status 1" in done.stderr
    with sqlite3.connect(tmp_path / "voiceapp.sqlite3") as database:
        counts = [database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in
                  ("auth_user", "agents_apikey", "agents_organization")]  # fmt: skip
    database.close()
    assert counts == [0, 0, 1]
