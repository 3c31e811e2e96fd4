"""What this process looks up and dials, heard from Python itself; a dial beyond this machine is noted and cut off."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from voiceapp.core.web_addresses import is_loopback


@dataclass(slots=True)
class Dialed:
    """`(host, port)` of each connection, and the names that were looked up, while it listens."""

    connections: list[tuple[str, int]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def beside(self, *known: str) -> set[tuple[str, int]]:
        """Connections to other places than these `host:port`."""
        return {(host, port) for host, port in self.connections if f"{host}:{port}" not in known}


# An audit hook cannot be taken away again, so that there is one, which speaks to whoever listens.
_listening: list[Dialed] = []


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    if not _listening or event not in ("socket.connect", "socket.getaddrinfo"):
        return
    if event == "socket.getaddrinfo":
        name = arguments[0]
        for each in _listening:
            each.names.append(name.decode() if isinstance(name, bytes) else str(name))
        return
    address = arguments[1]
    if isinstance(address, tuple):
        for each in _listening:
            each.connections.append((str(address[0]), int(address[1])))
        if not is_loopback(str(address[0])):
            raise ConnectionRefusedError("tests stay on this machine")


@contextmanager
def listening() -> Iterator[Dialed]:
    if _hear not in _hooked:
        sys.addaudithook(_hear)
        _hooked.append(_hear)
    dialed = Dialed()
    _listening.append(dialed)
    try:
        yield dialed
    finally:
        _listening.remove(dialed)


_hooked: list[object] = []
