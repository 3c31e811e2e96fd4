"""Sockets that have not started a call yet: a limit in all, and a lower one per address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

PER_ADDRESS = 10


class TooManyStreams(Exception):
    """Too many sockets have not started yet."""


class PendingStreams:
    """Counts pending sockets. A socket leaves when its call starts or when it is refused."""

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
