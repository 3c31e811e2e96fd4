"""What is fetched rarely and kept while its company is away: by one thread at a time, with pauses between."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable

from voiceapp.core.transactions import give_back_connections
from voiceapp.providers.errors import ProviderError

# A provider that names a longer wait is asked again after this: people are waiting to sign in.
LONGEST_COOLDOWN_S = 3600.0


class RarelyFetched(ABC):
    """Safe to share between threads. A subclass keeps what it fetched, and says how long it is fresh."""

    _thread_name: str

    def __init__(self) -> None:
        self._one_at_a_time = threading.Lock()
        self._fetched_at: float | None = None
        self._next_fetch_at = 0.0

    @abstractmethod
    def _fetch(self) -> None:
        """Take what there is now, or keep what was; sets `_next_fetch_at`, and `_fetched_at` when it came."""

    def _put_off(self, error: ProviderError, cooldown_s: float) -> None:
        """It did not come: fetch again after the cooldown, or after the wait that the provider names."""
        wait_s = max(cooldown_s, min(error.retry_after_s or 0.0, LONGEST_COOLDOWN_S))
        self._next_fetch_at = time.monotonic() + wait_s

    def _fetch_in_turn(self, *, is_wanted: Callable[[], bool], within_s: float) -> bool:
        """Fetch, or wait for the one who does; nothing within the cooldown. False when that takes too long."""
        give_back_connections()
        if not self._one_at_a_time.acquire(timeout=within_s):
            return False
        try:
            if is_wanted() and time.monotonic() >= self._next_fetch_at:
                self._fetch()
        finally:
            self._one_at_a_time.release()
        return True

    def _refresh_when_old(self, fresh_for_s: float) -> None:
        """In a thread of its own: nobody waits for what is there."""
        now = time.monotonic()
        is_old = self._fetched_at is None or now - self._fetched_at > fresh_for_s
        if is_old and now >= self._next_fetch_at and self._one_at_a_time.acquire(blocking=False):
            threading.Thread(target=self._refresh, name=self._thread_name, daemon=True).start()

    def _refresh(self) -> None:
        # The lock was taken by the thread that started this one, so that it is started once.
        try:
            self._fetch()
        finally:
            self._one_at_a_time.release()
