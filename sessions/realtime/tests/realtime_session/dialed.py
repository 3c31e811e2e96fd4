"""Records look-ups and connections of this process by an audit hook; refuses connections beyond this machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from voiceapp.core.web_addresses import is_loopback


@dataclass(slots=True)
class Dialed:
    """`(host, port)` of each connection, and the names that were looked up, while it records."""

    connections: list[tuple[str, int]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def beside(self, *known: str) -> set[tuple[str, int]]:
        """Connections to other places than these `host:port`."""
        return {(host, port) for host, port in self.connections if f"{host}:{port}" not in known}


# An audit hook cannot be removed, so there is one for all recorders.
_recorders: list[Dialed] = []


def _record_event(event: str, arguments: tuple[object, ...]) -> None:
    if not _recorders or event not in ("socket.connect", "socket.getaddrinfo"):
        return
    if event == "socket.getaddrinfo":
        name = arguments[0]
        for each in _recorders:
            each.names.append(name.decode() if isinstance(name, bytes) else str(name))
        return
    address = arguments[1]
    if isinstance(address, tuple):
        for each in _recorders:
            each.connections.append((str(address[0]), int(address[1])))
        if not is_loopback(str(address[0])):
            raise ConnectionRefusedError("tests stay on this machine")


@contextmanager
def recording_connections() -> Iterator[Dialed]:
    if _record_event not in _hooked:
        sys.addaudithook(_record_event)
        _hooked.append(_record_event)
    dialed = Dialed()
    _recorders.append(dialed)
    try:
        yield dialed
    finally:
        _recorders.remove(dialed)


_hooked: list[object] = []
