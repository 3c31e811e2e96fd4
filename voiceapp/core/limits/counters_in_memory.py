"""A cache backend for counters in one process: exact with threads, and it never evicts a live counter.

Django's own memory cache evicts live entries when it is full, so that other keys can reset a counter.
"""

from __future__ import annotations

import heapq
import threading
import time
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache

MAX_COUNTERS = 500_000


class CountersFull(Exception):
    """MAX_COUNTERS are alive: a new counter has to be stored elsewhere."""


class Counters:
    """The counters of one alias, each with its expiry. Every method is atomic."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}
        self._expiries: list[tuple[float, str]] = []

    def __len__(self) -> int:
        return len(self._counts)

    def add(self, key: str, count: int, expires_at: float) -> bool:
        with self._lock:
            self._forget_expired()
            if key in self._counts:
                return False
            if len(self._counts) >= MAX_COUNTERS:
                raise CountersFull
            self._counts[key] = count
            heapq.heappush(self._expiries, (expires_at, key))
            return True

    def increase(self, key: str, by: int) -> int:
        """The new count; raises KeyError if there is no such counter or it has expired."""
        with self._lock:
            self._forget_expired()
            self._counts[key] += by
            return self._counts[key]

    def get(self, key: str) -> int | None:
        with self._lock:
            self._forget_expired()
            return self._counts.get(key)

    def clear(self) -> None:
        with self._lock:
            self._counts.clear()
            self._expiries.clear()

    def _forget_expired(self) -> None:
        now = time.time()
        while self._expiries and self._expiries[0][0] <= now:
            del self._counts[heapq.heappop(self._expiries)[1]]


# Django creates a cache object per thread or request; the counters belong to the process.
_by_name: dict[str, Counters] = {}
_by_name_lock = threading.Lock()


class CountersInMemory(BaseCache):
    """Counters with the methods that django-ratelimit uses: add, incr, get. Counting extends no lifetime."""

    def __init__(self, name: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        with _by_name_lock:
            self.counters = _by_name.setdefault(name, Counters())

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        expires_at = self.get_backend_timeout(timeout)
        if expires_at is None:
            raise ValueError("a counter needs a timeout")
        return self.counters.add(self.make_and_validate_key(key, version=version), value, expires_at)

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        try:
            return self.counters.increase(self.make_and_validate_key(key, version=version), delta)
        except KeyError as exc:
            raise ValueError(f"there is no counter {key!r}") from exc

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        count = self.counters.get(self.make_and_validate_key(key, version=version))
        return default if count is None else count

    def clear(self) -> None:
        self.counters.clear()
