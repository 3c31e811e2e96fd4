"""Counts a request: in the cache, in the database while the cache is unavailable, or not at all without both."""

from __future__ import annotations

import time
from dataclasses import replace

import structlog
from django.conf import settings
from django.core.cache import caches
from django.db import Error as DatabaseError
from django_ratelimit.core import _make_cache_key, get_usage
from redis import RedisError

from voiceapp.core.metrics import limit_counters_unavailable

from .counters_in_database import count_in_database
from .counters_in_memory import CountersFull
from .limit import Limit, Rate
from .usage import Counter, Usage

logger = structlog.get_logger("limits")


class CountersUnavailable(Exception):
    """Neither the cache nor the database responds."""


class CounterLost(Exception):
    """The cache lost the counter between two commands."""


def count(limit: Limit, client: str) -> Usage:
    """Count one request of `client`, exactly also under concurrency; raises CountersUnavailable."""
    rate = limit.rate
    try:
        return _in_cache(limit, rate, client)
    except (RedisError, OSError, CountersFull, CounterLost) as exc:
        _note("cache", limit, exc)
    try:
        return _in_database(limit, rate, client)
    except DatabaseError as exc:
        _note("database", limit, exc)
        raise CountersUnavailable from exc


def refund(limit: Limit, client: str, usage: Usage) -> Usage:
    """Subtract one request that `count` counted, in its window; the usage without it.

    A counter that is unavailable now, or whose window is over, is not changed.
    """
    window_ends_at = usage.resets_at - 1
    try:
        if usage.counted_in is Counter.CACHE:
            rate = (limit.rate.count, limit.rate.period_s)
            # django-ratelimit has no function to count down.
            caches[settings.RATELIMIT_USE_CACHE].incr(_make_cache_key(limit.name, window_ends_at, rate, client, ""), -1)
        elif usage.counted_in is Counter.DATABASE:
            count_in_database(limit.name, client, window_ends_at, -1)
    except (ValueError, RedisError, OSError, DatabaseError) as exc:
        logger.info("request not refunded", limit=limit.name, error=type(exc).__name__)
        return usage
    return replace(usage, used=max(0, usage.used - 1), counted_in=Counter.NONE)


def _in_cache(limit: Limit, rate: Rate, client: str) -> Usage:
    usage = get_usage(None, group=limit.name, key=lambda *_: client, rate=(rate.count, rate.period_s), increment=True)
    if not usage["limit"]:  # django-ratelimit's way to report a failed increment
        raise CounterLost(limit.name)
    return Usage(rate.count, usage["count"], int(time.time()) + usage["time_left"] + 1, Counter.CACHE)


def _in_database(limit: Limit, rate: Rate, client: str) -> Usage:
    window_ends_at = rate.window_ends_at(client, int(time.time()))
    used = count_in_database(limit.name, client, window_ends_at)
    return Usage(rate.count, used, window_ends_at + 1, Counter.DATABASE)


def _note(counter: str, limit: Limit, exc: Exception) -> None:
    limit_counters_unavailable.labels(counter=counter).inc()
    logger.warning("limit not counted", counter=counter, limit=limit.name, error=type(exc).__name__)
