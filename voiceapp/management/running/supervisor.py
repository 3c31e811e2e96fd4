"""Starts the child processes of `manage.py run`, waits until they are ready, restarts them and stops them."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

# A child that exits is noticed at once; this is for one that hangs, on a slow and busy machine.
START_WITHIN_S = 180
STOP_WITHIN_S = 15
# A child that exits more often than this is given up.
MAX_RESTARTS = 3
RESTARTS_WITHIN_S = 60
LISTENING = re.compile(r"listening on (http://\S+)")
# Ctrl-C, the end of the process, and the end of its terminal.
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# On Linux the kernel stops a child whose parent was killed (prctl, PR_SET_PDEATHSIG).
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
PARENT_DEATH_SIGNAL = 1
# The children are on this machine: no proxy leads to them.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class ChildFailed(RuntimeError):
    """A child process did not become ready or exited unexpectedly; the message names its log."""


class PortTaken(Exception):
    """Another program or another child uses the port."""


@contextlib.contextmanager
def stop_signals_held() -> Iterator[None]:
    """They are delivered at the end: between the start of a process and its registration they would leave it behind."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin_child(parent: int) -> None:
    """In the new process, before its program."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    if LIBC is not None:
        LIBC.prctl(PARENT_DEATH_SIGNAL, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)


@dataclass
class Ports:
    """Ports of 127.0.0.1, each held until the end, so that no two children get the same one.

    A held socket is bound but does not listen: the child, whose socket has SO_REUSEADDR too, can listen there.
    """

    _held: dict[int, socket.socket] = field(default_factory=dict)

    def reserve(self, port: int) -> int:
        """Hold this port, or any free one for 0. Raises PortTaken."""
        if port and port in self._held:
            raise PortTaken
        held = socket.socket()
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            held.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as exc:
            held.close()
            raise PortTaken from exc
        chosen: int = held.getsockname()[1]
        self._held[chosen] = held
        return chosen

    def reserve_near(self, port: int) -> int:
        """Hold this port, or a free one if it is taken."""
        try:
            return self.reserve(port)
        except PortTaken:
            return self.reserve(0)

    def release(self) -> None:
        for held in self._held.values():
            held.close()
        self._held.clear()


@dataclass
class Child:
    """A process in a session of its own, so that Ctrl-C reaches only the supervisor."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    shows_output: bool
    is_needed_by_others: bool
    process: subprocess.Popen[bytes] = field(init=False)
    restarts: list[float] = field(default_factory=list)

    def start(self) -> None:
        with self.log.open("ab") as output, stop_signals_held():
            self.process = subprocess.Popen(
                [sys.executable, *self.arguments],
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=None if self.shows_output else output,
                stderr=output,
                start_new_session=True,
                preexec_fn=functools.partial(_begin_child, os.getpid()),
            )

    def kill(self) -> None:
        """Kill it and its own children, such as the processes of a worker's pool."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)

    def failure(self) -> str:
        tail = "\n".join(f"    {line}" for line in self.log.read_text(errors="replace").splitlines()[-8:])
        return f"{self.name} ended with status {self.process.returncode}. The end of its log ({self.log}):\n{tail}"


@dataclass
class Supervisor:
    """Starts children with one environment, restarts those that exit, and stops them all."""

    environment: Mapping[str, str]
    log_folder: Path
    ports: Ports = field(default_factory=Ports)
    children: list[Child] = field(default_factory=list)

    def start(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        shows_output: bool = False,
        is_needed_by_others: bool = False,
    ) -> Child:
        """Start `python ARGUMENTS…` with its output in the log folder, or on the terminal."""
        self.log_folder.mkdir(parents=True, exist_ok=True)
        log = self.log_folder / f"{name}.log"
        log.write_bytes(b"")
        merged = {**self.environment, **(environment or {})}
        child = Child(name, arguments, merged, log, shows_output, is_needed_by_others)
        with stop_signals_held():
            child.start()
            self.children.append(child)
        return child

    def wait_for_address(self, child: Child, *, within_s: float = START_WITHIN_S) -> str:
        """Wait for the line `listening on http://…` in the child's log. Returns the URL."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            found = LISTENING.search(child.log.read_text(errors="replace"))
            if found:
                return found.group(1)
            self.check(child)
            time.sleep(0.05)
        raise ChildFailed(f"{child.name} did not start to listen within {within_s:.0f} s. Its log: {child.log}")

    def wait_for_ok(self, child: Child, url: str, *, within_s: float = START_WITHIN_S) -> None:
        """Wait until a GET of the URL returns 200."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, http.client.HTTPException), DIRECT.open(url, timeout=3) as response:
                if response.status == 200:
                    return
            self.check(child)
            time.sleep(0.1)
        raise ChildFailed(f"{url} did not return 200 within {within_s:.0f} s. The log of {child.name}: {child.log}")

    def check(self, child: Child | None = None) -> None:
        """Raise ChildFailed if this child, or any child, has exited."""
        for each in [child] if child else self.children:
            if each.process.poll() is not None:
                raise ChildFailed(each.failure())

    def restart_exited(self) -> list[str]:
        """Restart the children that have exited; a sentence about each. Raise ChildFailed if one keeps exiting."""
        messages = []
        for child in self.children:
            if child.process.poll() is None:
                continue
            now = time.monotonic()
            child.restarts = [at_s for at_s in child.restarts if now - at_s < RESTARTS_WITHIN_S]
            if len(child.restarts) >= MAX_RESTARTS:
                raise ChildFailed(child.failure())
            messages.append(f"{child.name} ended with status {child.process.returncode} and is restarted.")
            child.kill()
            child.restarts.append(now)
            child.start()
        return messages

    def stop(self) -> None:
        """Stop all children: first the product, then what it needs until it has stopped."""
        for is_needed in (False, True):
            self._stop([child for child in self.children if child.is_needed_by_others is is_needed])
        self.children.clear()
        self.ports.release()

    def _stop(self, children: Sequence[Child]) -> None:
        """Stop them in parallel; those that still run after 15 s are killed."""
        for child in children:
            # Only the process itself: a worker whose pool is terminated as well waits for it forever.
            with contextlib.suppress(ProcessLookupError):
                child.process.terminate()
        ends_at = time.monotonic() + STOP_WITHIN_S
        for child in children:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(max(ends_at - time.monotonic(), 0))
            child.kill()
