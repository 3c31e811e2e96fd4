"""The one receiver of all jobs of a topic: called only where one is configured, and paused after each failure."""

from __future__ import annotations

import time
from collections.abc import Callable

FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 60.0


class SharedReceiver:
    """What this process knows of it. No job is attempted during a pause, so an outage costs only few attempts."""

    def __init__(self, *, is_configured: Callable[[], bool]) -> None:
        self._is_configured = is_configured
        self._failures = 0
        self._paused_until = 0.0

    @property
    def is_configured(self) -> bool:
        """Whether the settings name one."""
        return self._is_configured()

    @property
    def is_available(self) -> bool:
        return time.monotonic() >= self._paused_until and self._is_configured()

    def succeeded(self) -> None:
        self._failures = 0
        self._paused_until = 0.0

    def failed(self, *, retry_after_s: float | None = None) -> None:
        """`retry_after_s`: the pause that the receiver names."""
        pause_s = max(min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0**self._failures), retry_after_s or 0.0)
        self._failures = min(self._failures + 1, 10)
        self._paused_until = time.monotonic() + pause_s
