"""Jobs that take longer than a lease: it is extended while the handler runs, and soon over if the process dies."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import structlog
from django.db import DatabaseError, connections

from .engine import JobQueue
from .models import Job

logger = structlog.get_logger("jobs")

J = TypeVar("J", bound=Job)


@contextmanager
def extended_lease(queue: JobQueue[J], job: J) -> Iterator[None]:
    """By a thread, whatever the handler waits for. No other worker begins the job meanwhile."""
    is_over = threading.Event()
    thread = threading.Thread(target=_extend, args=(queue, job, is_over), name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _extend(queue: JobQueue[Any], job: Job, is_over: threading.Event) -> None:
    try:
        while not is_over.wait(queue.lease.total_seconds() / 3):
            try:
                if not queue.extend_lease(job):
                    return
            except DatabaseError:
                logger.warning("lease not extended", queue=queue.name, job_id=job.pk, exc_info=True)
    finally:
        connections.close_all()
