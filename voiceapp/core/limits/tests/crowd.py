"""Many threads that start at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection

T = TypeVar("T")


def at_once(times: int, act: Callable[[], T]) -> list[T]:
    """What each thread's `act` returned."""
    start = threading.Barrier(times)

    def run() -> T:
        try:
            start.wait(timeout=20)
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return [done.result(timeout=60) for done in [pool.submit(run) for _ in range(times)]]
