"""Values of a provider that are cached: fetched by one thread at a time, kept while the provider is unavailable."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable

from voiceapp.core.transactions import release_connections
from voiceapp.providers.errors import ProviderError

# Longer waits that a provider names are cut to this: people are waiting to sign in.
MAX_COOLDOWN_S = 3600.0


class RarelyFetched(ABC):
    """Safe to share between threads. A subclass stores what it fetched and defines how long it is fresh."""

    _thread_name: str

    def __init__(self) -> None:
        self._fetch_lock = threading.Lock()
        self._fetched_at: float | None = None
        self._next_fetch_at = 0.0

    @abstractmethod
    def _fetch(self) -> None:
        """Fetch, or keep the old value; sets `_next_fetch_at`, and `_fetched_at` on success."""

    def _postpone(self, error: ProviderError, cooldown_s: float) -> None:
        """After a failure, fetch again after the cooldown or the wait that the provider names."""
        wait_s = max(cooldown_s, min(error.retry_after_s or 0.0, MAX_COOLDOWN_S))
        self._next_fetch_at = time.monotonic() + wait_s

    def _fetch_once(self, *, is_wanted: Callable[[], bool], within_s: float) -> bool:
        """Fetch, or wait for the thread that does; do nothing in the cooldown. False if it takes too long."""
        release_connections()
        if not self._fetch_lock.acquire(timeout=within_s):
            return False
        try:
            if is_wanted() and time.monotonic() >= self._next_fetch_at:
                self._fetch()
        finally:
            self._fetch_lock.release()
        return True

    def _refresh_if_old(self, fresh_for_s: float) -> None:
        """In a thread of its own, so that no caller waits for a value that is already cached."""
        now = time.monotonic()
        is_old = self._fetched_at is None or now - self._fetched_at > fresh_for_s
        if is_old and now >= self._next_fetch_at and self._fetch_lock.acquire(blocking=False):
            threading.Thread(target=self._refresh, name=self._thread_name, daemon=True).start()

    def _refresh(self) -> None:
        # The thread that started this one took the lock, so that only one is started.
        try:
            self._fetch()
        finally:
            self._fetch_lock.release()
