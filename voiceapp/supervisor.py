"""Child processes of `manage.py run`: started, waited for, watched, and all stopped again."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

STOP_WITHIN_S = 15
# One that ends more often than this is broken.
MOST_RESTARTS = 3
RESTARTS_WITHIN_S = 60
LISTENING = re.compile(r"listening on (http://\S+)")


class ChildFailed(RuntimeError):
    """A child process did not become ready or ended by itself; the message says where its log is."""


class PortTaken(Exception):
    """Another program, or another child of ours, has the port."""


@dataclass
class Ports:
    """Ports of 127.0.0.1, each held from when it is chosen until the end: no child gets one that another was given.

    A held socket is bound but does not listen, so that the child, whose socket has SO_REUSEADDR too, can.
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
        """Hold this port, or a free one where it is taken."""
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
    """One process in a session of its own, so that Ctrl-C reaches only the supervisor."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    shows_output: bool
    is_needed_by_others: bool
    process: subprocess.Popen[bytes] = field(init=False)
    restarts: list[float] = field(default_factory=list)

    def start(self) -> None:
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, *self.arguments],
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=None if self.shows_output else output,
                stderr=output,
                start_new_session=True,
            )

    def kill(self) -> None:
        """End it and whatever it leaves behind, like the processes of a worker's pool."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(5)

    def failure(self) -> str:
        tail = "\n".join(f"    {line}" for line in self.log.read_text(errors="replace").splitlines()[-8:])
        return f"{self.name} ended with status {self.process.returncode}. Its log, {self.log}, ends:\n{tail}"


@dataclass
class Supervisor:
    """Starts children with one environment, starts them again when they die, and ends them all."""

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
        """Start `python ARGUMENTS…`; its output goes to the log folder, or to the terminal."""
        self.log_folder.mkdir(parents=True, exist_ok=True)
        log = self.log_folder / f"{name}.log"
        log.write_bytes(b"")
        whole = {**self.environment, **(environment or {})}
        child = Child(name, arguments, whole, log, shows_output, is_needed_by_others)
        child.start()
        self.children.append(child)
        return child

    def wait_for_line(self, child: Child, *, within_s: float = 30) -> str:
        """The address from the child's line `listening on http://…`."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            found = LISTENING.search(child.log.read_text(errors="replace"))
            if found:
                return found.group(1)
            self.check(child)
            time.sleep(0.05)
        raise ChildFailed(f"{child.name} did not say where it listens within {within_s:.0f} s. Its log is {child.log}.")

    def wait_for_answer(self, child: Child, url: str, *, within_s: float = 60) -> None:
        """Return when the address answers 200."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, urllib.error.URLError), urllib.request.urlopen(url, timeout=3) as answer:  # noqa: S310 - our own address
                if answer.status == 200:
                    return
            self.check(child)
            time.sleep(0.1)
        raise ChildFailed(f"{url} did not answer within {within_s:.0f} s. The log of {child.name} is {child.log}.")

    def check(self, child: Child | None = None) -> None:
        """Raise if this child, or any, has ended by itself."""
        for one in [child] if child else self.children:
            if one.process.poll() is not None:
                raise ChildFailed(one.failure())

    def revive(self) -> list[str]:
        """Start again what ended by itself, and say so; raise when it keeps ending."""
        said = []
        for child in self.children:
            if child.process.poll() is None:
                continue
            now = time.monotonic()
            child.restarts = [moment for moment in child.restarts if now - moment < RESTARTS_WITHIN_S]
            if len(child.restarts) >= MOST_RESTARTS:
                raise ChildFailed(child.failure())
            said.append(f"{child.name} ended with status {child.process.returncode}; it is started again.")
            child.kill()
            child.restarts.append(now)
            child.start()
        return said

    def stop(self) -> None:
        """End all children: first the product, then what it needs until its end."""
        for is_needed in (False, True):
            self._end([child for child in self.children if child.is_needed_by_others is is_needed])
        self.children.clear()
        self.ports.release()

    def _end(self, children: Sequence[Child]) -> None:
        """All at once; those that do not end within 15 s are killed."""
        for child in children:
            # It alone: a worker whose pool is told as well waits for it for ever.
            with contextlib.suppress(ProcessLookupError):
                child.process.terminate()
        ends_at = time.monotonic() + STOP_WITHIN_S
        for child in children:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(max(ends_at - time.monotonic(), 0))
            child.kill()
