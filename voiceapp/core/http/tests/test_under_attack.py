"""A served process is attacked by anyone's means: health goes on, memory and connections stay bounded."""

from __future__ import annotations

import contextlib
import os
import socket
import statistics
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from voiceapp.core.http.body_limits import MIB
from voiceapp.tests.worker import until

from .wire import Wire, is_closed, request

pytestmark = [pytest.mark.waits, pytest.mark.embedded]

HALVES = [
    b"GET / HTTP/1.1\r\nHost: localhost\r\n",
    b"POST /voice-session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{",
    b"POST /admin/login/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"",
]
HEAD_S, BODY_S, MOST = 2, 3, 50
# Before a request for health is answered; on a machine with nothing else to do it is 5 ms.
MOST_COMPUTED_S = 0.1


@pytest.fixture
def process(tmp_path: Path) -> Iterator[tuple[int, Wire]]:
    """`manage.py serve`: its process id, and how to speak to it."""
    out = tmp_path / "out"
    environment = os.environ | {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}", "REDIS_URL": "", "CELERY_BROKER_URL": "memory://",
        "SECRET_KEY": settings.SECRET_KEY, "REQUEST_HEAD_TIMEOUT_S": str(HEAD_S),
        "REQUEST_BODY_TIMEOUT_S": str(BODY_S), "MAX_CONNECTIONS_PER_ADDRESS": str(MOST),
    }  # fmt: skip
    command = [sys.executable, "manage.py", "serve", "--host", "127.0.0.1", "--port", "0"]
    with out.open("wb") as lines:
        served = subprocess.Popen(command, env=environment, cwd=settings.BASE_DIR, stdout=lines, stderr=-3)
        try:
            until(lambda: "listening on" in out.read_text(), within_s=60)
            yield served.pid, Wire(int(out.read_text().strip().rpartition(":")[2]))
        finally:
            served.terminate()
            served.wait(15)


def resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def cpu_s(pid: int) -> float:
    """What the process has computed so far, in user and system time."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def connections_of(pid: int) -> int:
    return len([name for name in os.listdir(f"/proc/{pid}/fd") if _is_socket(f"/proc/{pid}/fd/{name}")])


def _is_socket(path: str) -> bool:
    with contextlib.suppress(OSError):
        return str(Path(path).readlink()).startswith("socket:")
    return False


def flood(wire: Wire, is_over: threading.Event) -> None:
    """Chunked bodies without end, one after the other."""
    chunk = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    while not is_over.is_set():
        with contextlib.suppress(OSError), wire.open(*request("POST", "/admin/login/")[:1]) as sock:
            sock.settimeout(2)
            while not is_over.is_set():
                sock.sendall(chunk)


@pytest.mark.timeout(120)
def test_health_is_answered_while_an_attack_runs(process: tuple[int, Wire]) -> None:
    pid, wire = process
    assert wire.request("GET", "/health", chunked=False).status == 200
    before = resident_bytes(pid)
    is_over = threading.Event()
    other = Wire(wire.port, source="127.0.0.9")
    floods = [threading.Thread(target=flood, args=(each, is_over), daemon=True) for each in (wire, other)]
    computed_s: list[float] = []
    with contextlib.ExitStack() as stack:
        for thread in floods:
            thread.start()
        opened: list[socket.socket] = []
        for number in range(400):
            attacker = wire if number % 2 else other
            opened.append(stack.enter_context(attacker.open(HALVES[number % len(HALVES)])))
            if number % 10 == 0:
                computed_before_s = cpu_s(pid)
                assert wire.request("GET", "/health", chunked=False).status == 200
                computed_s.append(cpu_s(pid) - computed_before_s)
        assert connections_of(pid) < 2 * MOST + 30
        assert resident_bytes(pid) - before < 150 * MIB
        is_over.set()
        for thread in floods:
            thread.join(10)
        assert all(is_closed(sock, HEAD_S + BODY_S + 3) for sock in opened)
    # While a request waits, the process works for the attackers. CPU time does not depend on what else runs here.
    assert statistics.mean(computed_s) < MOST_COMPUTED_S
