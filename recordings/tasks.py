"""Celery tasks of recordings. Each may be lost or run twice: the outbox in the database is the truth."""

from __future__ import annotations

from celery import shared_task

from recordings.finishing.runs import finish_due
from recordings.retention import purge_recordings
from recordings.sweeping import sweep, sweep_spool

# A call of many hours; its message may come again meanwhile, and then finds the run of this one.
LONGEST_S = 1800


@shared_task(
    name="recordings.tasks.finish_recordings", expires=60, soft_time_limit=LONGEST_S, time_limit=LONGEST_S + 60
)
def finish_recordings(topic: str = "") -> int:
    """After a recording was over, and every 15 s: finish what is due, unless this machine is at it."""
    return finish_due()


@shared_task(name="recordings.tasks.sweep_spool", expires=600)
def remove_spool_files() -> int:
    """Every 10 min: remove what live calls wrote and no recording needs any more."""
    return len(sweep_spool())


@shared_task(name="recordings.tasks.sweep_recordings", expires=3000)
def sweep_recordings() -> int:
    """Every hour: find files without a row and rows without a file."""
    return sweep().count


@shared_task(name="recordings.tasks.purge_recordings", expires=3000)
def purge_old_recordings() -> int:
    """Every hour: delete the recordings that are older than their organizations keep them."""
    return purge_recordings()
