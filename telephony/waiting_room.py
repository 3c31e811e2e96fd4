"""Who may keep a socket open without having started a call: few at a time, and fewer from one address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.conf import settings

PER_ADDRESS = 10


class TooManyStreams(Exception):
    """The places for sockets that have not started are taken."""


class WaitingRoom:
    """The places. A socket leaves when its call starts or when it is refused."""

    def __init__(self) -> None:
        self._by_address: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._by_address.total()

    @contextmanager
    def place_for(self, address: str) -> Iterator[None]:
        if len(self) >= settings.MAX_UNSTARTED_STREAMS or self._by_address[address] >= PER_ADDRESS:
            raise TooManyStreams
        self._by_address[address] += 1
        try:
            yield
        finally:
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]


def client_address(scope: Mapping[str, Any]) -> str:
    """The address that connected to us or to the outermost of our own proxies; what is left of that can be forged."""
    client = scope.get("client")
    address = str(client[0]) if client else ""
    hops = settings.TRUSTED_PROXY_COUNT
    if hops:
        forwarded = [
            part.strip()
            for name, value in scope["headers"]
            if name == b"x-forwarded-for"
            for part in value.decode("latin-1").split(",")
        ]
        if len(forwarded) >= hops:
            address = forwarded[-hops]
    return address


waiting_room = WaitingRoom()
