"""Counts a request: in the cache, in the database when the cache is away, or not at all when both are."""

from __future__ import annotations

import time
from dataclasses import replace

import structlog
from django.conf import settings
from django.core.cache import caches
from django.db import Error as DatabaseAway
from django_ratelimit.core import _make_cache_key, get_usage
from redis import RedisError

from voiceapp.core.metrics import limit_counters_away

from .counters_in_database import count_in_database
from .counters_in_memory import CountersFull
from .limit import Limit, Rate
from .usage import Counter, Usage

logger = structlog.get_logger("limits")


class CannotCount(Exception):
    """Neither the cache nor the database answered."""


class CounterLost(Exception):
    """The cache has lost the counter between two of our words."""


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


def give_back(limit: Limit, who: str, usage: Usage) -> Usage:
    """Take back one request that `count` counted, in its own window; the usage without it.

    A counter that is away by now, or whose window is over, is left as it is.
    """
    window_ends_at = usage.resets_at - 1
    try:
        if usage.counted_in is Counter.CACHE:
            rate = (limit.rate.count, limit.rate.period_s)
            # django-ratelimit itself only counts up.
            caches[settings.RATELIMIT_USE_CACHE].incr(_make_cache_key(limit.name, window_ends_at, rate, who, ""), -1)
        elif usage.counted_in is Counter.DATABASE:
            count_in_database(limit.name, who, window_ends_at, -1)
    except (ValueError, RedisError, OSError, DatabaseAway) as exc:
        logger.info("request not given back", limit=limit.name, error=type(exc).__name__)
        return usage
    return replace(usage, used=max(0, usage.used - 1), counted_in=Counter.NONE)


def _in_cache(limit: Limit, rate: Rate, who: str) -> Usage:
    usage = get_usage(None, group=limit.name, key=lambda *_: who, rate=(rate.count, rate.period_s), increment=True)
    if not usage["limit"]:  # django-ratelimit's word for a failed increment
        raise CounterLost(limit.name)
    return Usage(rate.count, usage["count"], int(time.time()) + usage["time_left"] + 1, Counter.CACHE)


def _in_database(limit: Limit, rate: Rate, who: str) -> Usage:
    window_ends_at = rate.window_ends_at(who, int(time.time()))
    used = count_in_database(limit.name, who, window_ends_at)
    return Usage(rate.count, used, window_ends_at + 1, Counter.DATABASE)


def _note(counter: str, limit: Limit, exc: Exception) -> None:
    limit_counters_away.labels(counter=counter).inc()
    logger.warning("limit not counted", counter=counter, limit=limit.name, error=type(exc).__name__)
