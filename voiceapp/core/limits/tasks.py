"""Tasks of the rate limits."""

from __future__ import annotations

from celery import shared_task

from .counters_in_database import purge_limit_counts as purge


@shared_task(name="limits.tasks.purge_limit_counts", expires=300)
def purge_limit_counts() -> int:
    """Every ten minutes: delete the counters of windows that are over."""
    return purge()
