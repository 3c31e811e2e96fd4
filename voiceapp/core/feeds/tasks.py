"""Tasks of the feeds."""

from __future__ import annotations

from celery import shared_task

from .versions import purge_topics as purge


@shared_task(name="feeds.tasks.purge_topics", expires=300)
def purge_topics() -> int:
    """Every hour: delete the topics of calls that are long over."""
    return purge()
