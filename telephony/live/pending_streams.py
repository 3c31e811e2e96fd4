"""Who may keep a socket open without having started a call: few at a time, and fewer from one address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

PER_ADDRESS = 10


class TooManyStreams(Exception):
    """The places for sockets that have not started are taken."""


class PendingStreams:
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


pending_streams = PendingStreams()
