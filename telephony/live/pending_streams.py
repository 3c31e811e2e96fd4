"""Sockets that have not started a call yet: how many this process keeps open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings


class TooManyStreams(Exception):
    """Too many sockets have not started yet."""


class PendingStreams:
    """Counts pending sockets. A socket leaves when its call starts or when it is refused."""

    def __init__(self, *, per_address: int | None = None) -> None:
        self._per_address = per_address
        self._addresses: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._addresses.total()

    @contextmanager
    def place(self, address: str = "") -> Iterator[None]:
        """Raises TooManyStreams."""
        is_crowded = self._per_address is not None and self._addresses[address] >= self._per_address
        if is_crowded or len(self) >= settings.MAX_UNSTARTED_STREAMS:
            raise TooManyStreams
        self._addresses[address] += 1
        try:
            yield
        finally:
            self._addresses[address] -= 1
            self._addresses += Counter()  # forgets those that have none


# No limit per address: all have Twilio's signature, and Twilio calls from few addresses.
pending_streams = PendingStreams()
# Those of browsers are counted apart, so that they take no place of a phone call's.
pending_dialers = PendingStreams(per_address=10)
