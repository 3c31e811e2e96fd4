"""What counts: this process's memory, a real Redis, or the database because Redis is away."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from pytest_django import Settings

# In the middle of nothing: no window of a round period ends here.
NOW = "2026-11-21T10:17:23Z"
MEMORY = {"BACKEND": "voiceapp.core.limits.counters_in_memory.CountersInMemory"}


@pytest.fixture
def held_clock() -> Iterator[None]:
    """Time stands still, so that no window ends in the middle of a test."""
    with time_machine.travel(NOW, tick=False):
        yield


def redis_at(url: str, settings: Settings) -> dict[str, Any]:
    return {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": url,
        "OPTIONS": settings.REDIS_CACHE_OPTIONS,
    }


@pytest.fixture
def in_memory(settings: Settings) -> None:
    settings.CACHES = {"default": MEMORY, "limits": MEMORY}


@pytest.fixture
def on_redis(settings: Settings) -> None:
    if not settings.REDIS_URL:
        pytest.skip("needs REDIS_URL: python scripts/with_servers.py")
    settings.CACHES = {"default": MEMORY, "limits": redis_at(settings.REDIS_URL, settings)}


@pytest.fixture
def redis_is_down(settings: Settings) -> Iterator[None]:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound, but not listening: refused
        settings.CACHES = {
            "default": MEMORY,
            "limits": redis_at(f"redis://127.0.0.1:{unused.getsockname()[1]}", settings),
        }
        yield


@pytest.fixture
def redis_hangs(settings: Settings) -> Iterator[None]:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(64)  # the kernel accepts; nothing ever responds
        settings.CACHES = {
            "default": MEMORY,
            "limits": redis_at(f"redis://127.0.0.1:{silent.getsockname()[1]}", settings),
        }
        yield
