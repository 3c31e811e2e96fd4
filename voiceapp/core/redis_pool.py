"""One Redis connection pool per process: Django creates a cache object per request, each with its own pool."""

from __future__ import annotations

import threading
from typing import Any

from redis import ConnectionPool


class SharedPool(ConnectionPool):
    """For OPTIONS["pool_class"]: the same address and options give the same pool."""

    @classmethod
    def from_url(cls, url: str, **options: Any) -> SharedPool:
        name = f"{url} {sorted(options.items(), key=str)}"
        with _lock:
            if name not in _pools:
                _pools[name] = super().from_url(url, **options)
            return _pools[name]


_pools: dict[str, SharedPool] = {}
_lock = threading.Lock()
