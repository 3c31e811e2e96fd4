"""Waiting for what another thread or process does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def soon(is_true: Callable[[], T | None], *, within_s: float = 15, every_s: float = 0.01) -> T:
    """What `is_true` returns, as soon as that is something."""
    until_s = time.monotonic() + within_s
    while not (found := is_true()):
        assert time.monotonic() < until_s, "it did not happen in time"
        time.sleep(every_s)
    return found
