"""Jobs that are done stay for a while, as the log of what was sent and received. Those that failed stay for people."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from voiceapp.core.batches import delete_in_batches

from .models import Job

# Longer than any provider repeats an event, and than anybody asks whether a delivery has arrived.
KEPT_FOR = dt.timedelta(days=90)


def purge_jobs(jobs: type[Job]) -> int:
    """Delete what was done, or never had a receiver, and is that old; how many there were."""
    kept_since = timezone.now() - KEPT_FOR
    over = jobs._default_manager.filter(
        state__in=(Job.State.DONE, Job.State.UNCONFIGURED), created_at__lt=kept_since
    ).exclude(done_at__gte=kept_since)
    return delete_in_batches(over)
