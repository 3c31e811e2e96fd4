"""One process of a machine runs scenarios or replays at a time, so that others deliver orders and texts meanwhile."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

LOCK = "scenarios.lock"


@contextmanager
def only_run() -> Iterator[bool]:
    """Whether it is this process; False if another one is at it. The lock ends with its process, however that ends."""
    with (settings.VAR_DIR / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
