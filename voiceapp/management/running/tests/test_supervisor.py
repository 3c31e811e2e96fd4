"""The supervisor of `make run`: ports that collide, children that exit, and the order of stopping."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from voiceapp.management.running.supervisor import (
    MAX_RESTARTS,
    ChildFailed,
    Ports,
    PortTaken,
    Supervisor,
    stop_signals_held,
)
from voiceapp.tests.worker import until


@pytest.fixture
def ports() -> Iterator[Ports]:
    ports = Ports()
    yield ports
    ports.release()


def test_a_port_is_reserved_only_once(ports: Ports) -> None:
    port = ports.reserve(0)
    with pytest.raises(PortTaken):
        ports.reserve(port)
    assert ports.reserve_near(port) != port
    assert len({port, *(ports.reserve(0) for _ in range(50))}) == 51


def test_a_child_can_listen_on_its_held_port(ports: Ports) -> None:
    with socket.socket() as child:
        child.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        child.bind(("127.0.0.1", port := ports.reserve(0)))
        child.listen()
        with socket.create_connection(("127.0.0.1", port), timeout=2):
            pass


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_a_port_on_which_another_program_listens_is_taken(ports: Ports, address: str) -> None:
    with socket.socket() as other:
        other.bind((address, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortTaken):
            ports.reserve(port)
        assert ports.reserve_near(port) != port


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    supervisor = Supervisor(os.environ, tmp_path)
    yield supervisor
    supervisor.stop()


def has_ended(process: subprocess.Popen[bytes]) -> bool:
    return process.poll() is not None


def is_alive(pid: int) -> bool:
    """A zombie is dead."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_killed_child_is_restarted_and_its_own_children_are_killed(supervisor: Supervisor, tmp_path: Path) -> None:
    left = tmp_path / "left"
    code = (
        "import pathlib, subprocess, time\n"
        "one = subprocess.Popen(['sleep', '60'])\n"
        f"pathlib.Path({str(left)!r}).write_text(str(one.pid) + ' ')\n"
        "time.sleep(60)"
    )
    child = supervisor.start("child", ["-c", code])
    until(lambda: left.exists() and left.read_text().endswith(" "))
    first, orphan = child.process.pid, int(left.read_text())
    assert supervisor.restart_exited() == []
    os.kill(first, signal.SIGKILL)
    until(lambda: has_ended(child.process))
    assert is_alive(orphan)
    assert supervisor.restart_exited() == ["child ended with status -9 and is restarted."]
    assert child.process.pid != first
    until(lambda: not is_alive(orphan), within_s=5)


def test_a_child_that_keeps_exiting_is_stopped_with_the_end_of_its_log(supervisor: Supervisor) -> None:
    child = supervisor.start("broken", ["-c", "raise SystemExit('no such table')"])
    for _ in range(MAX_RESTARTS):
        until(lambda: has_ended(child.process))
        assert supervisor.restart_exited()
    until(lambda: has_ended(child.process))
    with pytest.raises(ChildFailed, match="no such table"):
        supervisor.restart_exited()


def test_the_product_stops_before_what_it_needs(supervisor: Supervisor, tmp_path: Path) -> None:
    code = (
        "import pathlib, signal, sys, time\n"
        f"def end(*_): pathlib.Path({str(tmp_path / 'ended')!r}).open('a').write(sys.argv[1] + ' '); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "print('listening on http://x', flush=True)\n"
        "time.sleep(60)"
    )
    for name, is_needed in (("simulator", True), ("web", False), ("kitchen", True)):
        supervisor.wait_for_address(supervisor.start(name, ["-c", code, name], is_needed_by_others=is_needed))
    supervisor.stop()
    ended = (tmp_path / "ended").read_text().split()
    assert ended[0] == "web"
    assert set(ended[1:]) == {"simulator", "kitchen"}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not report the end of a parent")
def test_the_children_of_a_supervisor_that_was_killed_stop(tmp_path: Path) -> None:
    started = tmp_path / "started"
    code = (
        "import pathlib, os, time\n"
        "from voiceapp.management.running.supervisor import Supervisor\n"
        f"supervisor = Supervisor(os.environ, pathlib.Path({str(tmp_path)!r}))\n"
        "child = supervisor.start('child', ['-c', 'import time; time.sleep(600)'])\n"
        f"pathlib.Path({str(started)!r}).write_text(str(child.process.pid) + ' ')\n"
        "time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=settings.BASE_DIR) as killed:
        until(lambda: started.exists() and started.read_text().endswith(" "))
        child = int(started.read_text())
        assert is_alive(child)
        killed.kill()
    until(lambda: not is_alive(child))


def test_a_signal_waits_until_a_child_is_registered() -> None:
    order: list[str] = []
    before = signal.signal(signal.SIGTERM, lambda *_: order.append("signal"))
    try:
        with stop_signals_held():
            signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
            order.append("registered")
    finally:
        signal.signal(signal.SIGTERM, before)
    assert order == ["registered", "signal"]


def test_a_child_is_stopped_by_signals_although_they_were_held_at_its_start(supervisor: Supervisor) -> None:
    child = supervisor.start("child", ["-c", "import time; time.sleep(600)"])
    child.process.terminate()
    assert child.process.wait(30) == -signal.SIGTERM


def test_no_proxy_comes_between(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    port = supervisor.ports.reserve(0)
    server = ["-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(tmp_path)]
    supervisor.wait_for_ok(supervisor.start("web", server), f"http://127.0.0.1:{port}/")
