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

LISTENING = re.compile(r"listening on (http://\S+)")


class ChildFailed(RuntimeError):
    """A child process did not become ready or ended by itself; the message says where its log is."""


def port_or_free(port: int) -> int:
    """The port if nobody has it on loopback, else a free one."""
    for candidate in (port, 0):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", candidate))
            chosen: int = probe.getsockname()[1]
            return chosen
    raise ChildFailed("no free port on 127.0.0.1")


@dataclass
class Child:
    """One process in a session of its own, so that Ctrl-C reaches only the supervisor."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def failure(self) -> str:
        tail = "\n".join(f"    {line}" for line in self.log.read_text(errors="replace").splitlines()[-8:])
        return f"{self.name} ended with status {self.process.returncode}. Its log, {self.log}, ends:\n{tail}"


@dataclass
class Supervisor:
    """Starts children with one environment; `stop` ends them in the reverse order, each bounded in time."""

    environment: Mapping[str, str]
    log_folder: Path
    children: list[Child] = field(default_factory=list)

    def start(self, name: str, arguments: Sequence[str], *, shows_output: bool = False) -> Child:
        """Start `python ARGUMENTS…`; its output goes to the log folder, or to the terminal."""
        self.log_folder.mkdir(parents=True, exist_ok=True)
        log = self.log_folder / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=None if shows_output else output,
                stderr=output,
                start_new_session=True,
            )
        child = Child(name, process, log)
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

    def stop(self) -> None:
        """End all children, last started first; one that does not end within 15 s is killed."""
        for child in reversed(self.children):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.process.pid, signal.SIGTERM)
            try:
                child.process.wait(15)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.process.pid, signal.SIGKILL)
                child.process.wait(5)
        self.children.clear()
