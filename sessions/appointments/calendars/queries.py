"""What availability reads of connected calendars."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db.models import QuerySet

from sessions.appointments.calendars.models import BusyTime
from sessions.appointments.models import Appointment


def busy_times(
    resource_ids: Collection[int], begins_at: dt.datetime, ends_at: dt.datetime, *, without: Appointment | None = None
) -> QuerySet[BusyTime]:
    """When the resources' calendars are busy in that range as they were last read, in no order.

    `without`: where a person has moved this appointment's entry in the calendar, it may be moved to.
    """
    rows = BusyTime.objects.filter(resource__in=resource_ids, starts_at__lt=ends_at, ends_at__gt=begins_at).order_by()
    return rows if without is None else rows.exclude(appointment=without)
