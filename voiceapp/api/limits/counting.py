"""Counts a request: in the cache, in the database when the cache is away, or not at all when both are."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog
from django.db import Error as DatabaseAway
from django_ratelimit.core import get_usage
from redis import RedisError

from voiceapp.lib.counters_in_memory import CountersFull
from voiceapp.lib.metrics import limit_counters_away

from .limit import Limit
from .rates import Rate
from .usage import Usage

logger = structlog.get_logger("limits")

# A limit's name, who asks, the last second of the window → how many requests with this one; raises django.db.Error.
DatabaseCounter = Callable[[str, str, int], int]
_database_counters: list[DatabaseCounter] = []


class CannotCount(Exception):
    """Neither the cache nor the database answered."""


class CounterLost(Exception):
    """The cache has lost the counter between two of our words."""


def count_in_database_by(counter: DatabaseCounter) -> None:
    """Told by whoever owns the table; this package knows no model."""
    _database_counters[:] = [counter]


def count(limit: Limit, who: str) -> Usage:
    """Count one request of `who`, exactly however many come at once; raises CannotCount."""
    rate = limit.rate
    try:
        return _in_cache(limit, rate, who)
    except (RedisError, OSError, CountersFull, CounterLost) as exc:
        _note("cache", limit, exc)
    try:
        return _in_database(limit, rate, who)
    except DatabaseAway as exc:
        _note("database", limit, exc)
        raise CannotCount from exc


def _in_cache(limit: Limit, rate: Rate, who: str) -> Usage:
    usage = get_usage(None, group=limit.name, key=lambda *_: who, rate=(rate.count, rate.period_s), increment=True)
    if not usage["limit"]:  # django-ratelimit's word for a failed increment
        raise CounterLost(limit.name)
    return Usage(limit=rate.count, used=usage["count"], resets_at=int(time.time()) + usage["time_left"] + 1)


def _in_database(limit: Limit, rate: Rate, who: str) -> Usage:
    window_ends_at = rate.window_ends_at(who, int(time.time()))
    used = _database_counters[0](limit.name, who, window_ends_at)
    return Usage(limit=rate.count, used=used, resets_at=window_ends_at + 1)


def _note(counter: str, limit: Limit, exc: Exception) -> None:
    limit_counters_away.labels(counter=counter).inc()
    logger.warning("limit not counted", counter=counter, limit=limit.name, error=type(exc).__name__)
