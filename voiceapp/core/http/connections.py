"""Which connections are open, by address: beyond the bound the one that has waited longest gives way."""

from __future__ import annotations

import resource
from typing import Protocol

from django.conf import settings


class Connection(Protocol):
    """An HTTP connection. It is waiting while no complete request of it is being answered."""

    @property
    def is_waiting(self) -> bool: ...

    def give_way(self) -> None:
        """Close at once."""


class ConnectionTable:
    """All HTTP connections of this process, oldest first. WebSockets are not among them.

    Not the newest is refused but the oldest that waits is closed: who sends a request at once is answered even
    while others of the same address keep all the places with half-sent requests.
    """

    def __init__(self) -> None:
        self._addresses: dict[Connection, str] = {}
        self._by_address: dict[str, dict[Connection, None]] = {}

    def __len__(self) -> int:
        return len(self._addresses)

    def count_of(self, address: str) -> int:
        return len(self._by_address.get(address, ()))

    def enter(self, connection: Connection, address: str) -> None:
        """`address` is empty where connections come from our own proxies: then only the total is bounded."""
        self._addresses[connection] = address
        of_address = self._by_address.setdefault(address, {})
        of_address[connection] = None
        if address and len(of_address) > settings.MAX_CONNECTIONS_PER_ADDRESS:
            self._make_room(of_address, connection)
        elif len(self._addresses) > most_connections():
            self._make_room(self._addresses, connection)

    def leave(self, connection: Connection) -> None:
        address = self._addresses.pop(connection, None)
        if address is None:
            return
        of_address = self._by_address[address]
        del of_address[connection]
        if not of_address:
            del self._by_address[address]

    def _make_room(self, among: dict[Connection, None] | dict[Connection, str], newest: Connection) -> None:
        waiting = (each for each in among if each is not newest and each.is_waiting)
        leaving = next(waiting, newest)
        self.leave(leaving)
        leaving.give_way()


def most_connections() -> int:
    """Half of the files that this process may open: calls and the database need the others."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2


connections = ConnectionTable()
