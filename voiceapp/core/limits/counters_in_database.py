"""Counts requests in the database: one statement, exact however many come at once, on SQLite and PostgreSQL."""

from __future__ import annotations

import hashlib
import time

from django.db import connection
from django.db.models import F

from .models import LimitCount

COUNT_ONE = """
INSERT INTO limits_limitcount AS counted ("limit", who_hash, window_ends_at, used) VALUES (%s, %s, %s, 1)
ON CONFLICT ("limit", who_hash, window_ends_at) DO UPDATE SET used = counted.used + 1
RETURNING used
"""
# Processes whose clocks differ may still count in a window that is over for us.
KEPT_FOR_S = 60


def count_in_database(limit: str, who: str, window_ends_at: int, by: int = 1) -> int:
    """How many requests `who` made in this window, with this one; raises django.db.Error. `by` -1 takes one back."""
    who_hash = hashlib.sha256(who.encode()).hexdigest()
    if by < 0:
        row = LimitCount.objects.filter(limit=limit, who_hash=who_hash, window_ends_at=window_ends_at, used__gt=0)
        return row.update(used=F("used") - 1)
    with connection.cursor() as cursor:
        cursor.execute(COUNT_ONE, [limit, who_hash, window_ends_at])
        # All of it: SQLite commits when the statement has run to its end.
        [(used,)] = cursor.fetchall()
    return int(used)


def purge_limit_counts() -> int:
    """Delete the counters of windows that are over; how many they were."""
    deleted, _ = LimitCount.objects.filter(window_ends_at__lt=int(time.time()) - KEPT_FOR_S).delete()
    return deleted
