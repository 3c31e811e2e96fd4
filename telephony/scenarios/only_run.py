"""One process of a machine runs scenarios at a time, and one replays, so that others deliver orders and texts."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

SCENARIOS, REPLAYS = "scenarios.lock", "replays.lock"


@contextmanager
def only_run(lock_name: str = SCENARIOS) -> Iterator[bool]:
    """Whether it is this process; False if another one is at it. The lock ends with its process, however that ends."""
    with (settings.VAR_DIR / lock_name).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
