"""Open connections by client address: above the limit the one that has been idle longest is closed."""

from __future__ import annotations

import resource
from typing import Protocol

from django.conf import settings


class Connection(Protocol):
    """An HTTP connection. It is idle while none of its requests is being processed."""

    @property
    def is_idle(self) -> bool: ...

    def evict(self) -> None:
        """Close at once."""


class ConnectionTable:
    """All HTTP connections of this process, oldest first. WebSockets are not among them.

    The oldest idle connection is closed instead of the newest: a client that sends its request at once gets a response
    even while others of its address hold all connections with incomplete requests.
    """

    def __init__(self) -> None:
        self._addresses: dict[Connection, str] = {}
        self._by_address: dict[str, dict[Connection, None]] = {}

    def __len__(self) -> int:
        return len(self._addresses)

    def count_of(self, address: str) -> int:
        return len(self._by_address.get(address, ()))

    def add(self, connection: Connection, address: str) -> None:
        """`address` is empty if connections come from our own proxies: then only the total is limited."""
        self._addresses[connection] = address
        of_address = self._by_address.setdefault(address, {})
        of_address[connection] = None
        if address and len(of_address) > settings.MAX_CONNECTIONS_PER_ADDRESS:
            self._make_room(of_address, connection)
        elif len(self._addresses) > max_connections():
            self._make_room(self._addresses, connection)

    def remove(self, connection: Connection) -> None:
        address = self._addresses.pop(connection, None)
        if address is None:
            return
        of_address = self._by_address[address]
        del of_address[connection]
        if not of_address:
            del self._by_address[address]

    def _make_room(self, among: dict[Connection, None] | dict[Connection, str], newest: Connection) -> None:
        idle = (each for each in among if each is not newest and each.is_idle)
        evicted = next(idle, newest)
        self.remove(evicted)
        evicted.evict()


def max_connections() -> int:
    """Half of the file descriptors of this process: calls and the database need the others."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2


connections = ConnectionTable()
