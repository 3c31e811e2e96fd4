"""Sockets that have not started a call yet: how many this process keeps open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings


class TooManyStreams(Exception):
    """Too many sockets have not started yet."""


class PendingStreams:
    """Counts pending sockets. A socket leaves when its call starts or when it is refused.

    There is no limit per address: all have Twilio's signature, and Twilio calls from few addresses.
    """

    def __init__(self) -> None:
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @contextmanager
    def place(self) -> Iterator[None]:
        if self._count >= settings.MAX_UNSTARTED_STREAMS:
            raise TooManyStreams
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1


pending_streams = PendingStreams()
