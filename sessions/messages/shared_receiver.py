"""The one receiver of a whole topic: asked only where one is named, and let alone for a while after each failure."""

from __future__ import annotations

import time
from collections.abc import Callable

FIRST_REST_S = 5.0
LONGEST_REST_S = 60.0


class SharedReceiver:
    """What this process knows of it. No message loses a try while it rests, so that an outage costs few of them."""

    def __init__(self, *, is_named: Callable[[], bool]) -> None:
        self._is_named = is_named
        self._failures = 0
        self._rests_until = 0.0

    @property
    def is_named(self) -> bool:
        """Whether the settings name one."""
        return self._is_named()

    @property
    def may_be_asked(self) -> bool:
        return time.monotonic() >= self._rests_until and self._is_named()

    def answered(self) -> None:
        self._failures = 0
        self._rests_until = 0.0

    def failed(self, *, retry_after_s: float | None = None) -> None:
        """`retry_after_s`: it names how long it wants to be left alone."""
        rest_s = max(min(LONGEST_REST_S, FIRST_REST_S * 2.0**self._failures), retry_after_s or 0.0)
        self._failures = min(self._failures + 1, 10)
        self._rests_until = time.monotonic() + rest_s
