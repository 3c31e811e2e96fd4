"""Rows that are of no use any more are deleted a few at a time, so that nobody waits long for the table."""

from __future__ import annotations

from time import monotonic
from typing import TypeVar

from django.db.models import Model, QuerySet

M = TypeVar("M", bound=Model)

AT_ONCE = 500
# A task that runs for 50 s is killed; what is left is deleted in the next run.
LONGEST_RUN_S = 20.0


def delete_in_batches(rows: QuerySet[M]) -> int:
    """Delete rows that nothing else will need, the oldest first; how many there were. Each batch is a transaction."""
    stop_at, deleted = monotonic() + LONGEST_RUN_S, 0
    oldest = rows.order_by("pk").values_list("pk", flat=True)
    while batch := list(oldest[:AT_ONCE]):
        rows.filter(pk__in=batch).delete()
        deleted += len(batch)
        if len(batch) < AT_ONCE or monotonic() > stop_at:
            break
    return deleted
