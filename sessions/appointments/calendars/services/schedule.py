"""When connected calendars are read: every few minutes, and soon when a caller chooses a time."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from sessions.appointments.calendars.models import ConnectedCalendar
from sessions.appointments.calendars.services.busy_times import read_calendar
from sessions.appointments.calendars.services.outgoing import enqueue_missing, retry_failed_updates
from voiceapp.core.jobs.wake_up import WakeUp

# While a caller chooses a time, busy times that are older are read again.
OLD_AFTER = dt.timedelta(minutes=1)
# No other worker reads the calendar meanwhile.
LEASE = dt.timedelta(minutes=2)
# One task begins to read for so long; the next one goes on. A task may take 50 s.
MAX_RUN = dt.timedelta(seconds=10)

wake_up = WakeUp("sessions.tasks.read_calendars")


def refresh_soon(organization_id: UUID) -> None:
    """Have a worker read the organization's calendars that were not read within the last minute. Never waits."""
    now = timezone.now()
    old = ConnectedCalendar.objects.filter(
        Q(read_at=None) | Q(read_at__lte=now - OLD_AFTER),
        resource__organization_id=organization_id,
        failures=0,
        next_read_at__gt=now,
    )
    if old.exists() and old.update(next_read_at=now):
        transaction.on_commit(wake_up, robust=True)


def read_due_calendars() -> int:
    """Read every calendar that is due; how many were read."""
    stop_at = timezone.now() + MAX_RUN
    done = 0
    while (now := timezone.now()) < stop_at:
        free = Q(reading_until=None) | Q(reading_until__lte=now)
        due = ConnectedCalendar.objects.filter(free, next_read_at__lte=now)
        calendar = due.select_related("resource__organization").order_by("next_read_at").first()
        if calendar is None:
            break
        if due.filter(pk=calendar.pk).update(reading_until=now + LEASE) and read_calendar(calendar):
            enqueue_missing(calendar)
            if calendar.failing_since is not None:
                retry_failed_updates(calendar)
            done += 1
    return done
