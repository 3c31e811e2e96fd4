"""`manage.py run`: ports that collide, and a start that fails."""

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

from voiceapp.supervisor import Ports, PortTaken


@pytest.fixture
def ports() -> Iterator[Ports]:
    ports = Ports()
    yield ports
    ports.release()


@pytest.fixture
def taken() -> Iterator[int]:
    """A port at which another program listens."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_a_port_that_was_given_is_given_to_nobody_else(ports: Ports) -> None:
    port = ports.reserve(0)
    with pytest.raises(PortTaken):
        ports.reserve(port)
    assert ports.reserve_near(port) != port
    assert len({port, *(ports.reserve(0) for _ in range(50))}) == 51


def test_the_child_that_a_port_is_held_for_can_listen_there(ports: Ports) -> None:
    with socket.socket() as child:
        child.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        child.bind(("127.0.0.1", port := ports.reserve(0)))
        child.listen()
        with socket.create_connection(("127.0.0.1", port), timeout=2):
            pass


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_a_port_at_which_another_program_listens_is_taken(ports: Ports, address: str) -> None:
    with socket.socket() as other:
        other.bind((address, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortTaken):
            ports.reserve(port)
        assert ports.reserve_near(port) != port


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
