"""Counts requests in the database with one statement, exact under concurrency, on SQLite and PostgreSQL."""

from __future__ import annotations

import hashlib
import time

from django.db import connection
from django.db.models import F

from voiceapp.core.batches import delete_in_batches

from .models import LimitCount

COUNT_ONE = """
INSERT INTO limits_limitcount AS counted ("limit", client_hash, window_ends_at, used) VALUES (%s, %s, %s, 1)
ON CONFLICT ("limit", client_hash, window_ends_at) DO UPDATE SET used = counted.used + 1
RETURNING used
"""
# Processes whose clocks are behind ours may still count in a window that is over for us.
KEPT_FOR_S = 60


def count_in_database(limit: str, client: str, window_ends_at: int, by: int = 1) -> int:
    """How many requests `client` made in this window, with this one; raises django.db.Error. `by` -1 subtracts one."""
    client_hash = hashlib.sha256(client.encode()).hexdigest()
    if by < 0:
        row = LimitCount.objects.filter(limit=limit, client_hash=client_hash, window_ends_at=window_ends_at, used__gt=0)
        return row.update(used=F("used") - 1)
    with connection.cursor() as cursor:
        cursor.execute(COUNT_ONE, [limit, client_hash, window_ends_at])
        # fetchall: SQLite commits when the statement has run to its end.
        [(used,)] = cursor.fetchall()
    return int(used)


def purge_limit_counts() -> int:
    """Delete the counters of windows that are over; returns their number."""
    return delete_in_batches(LimitCount.objects.filter(window_ends_at__lt=int(time.time()) - KEPT_FOR_S))
