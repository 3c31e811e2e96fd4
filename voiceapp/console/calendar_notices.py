"""What needs attention in calendars: one that is away, a person's change, and an appointment in a busy time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from agents.hours.local_time import when_of
from agents.organizations.access import Access
from agents.organizations.roles import Area, Power
from sessions.appointments.calendars.models import BusyTime, CalendarEntry, ConnectedCalendar
from sessions.appointments.models import Appointment, AppointmentState

from .attention import MOST_ROWS, Notice, some
from .local_days import link

Change = CalendarEntry.Change
UNDECIDED = (Change.MOVED, Change.REMOVED)
MOST_APPOINTMENTS = 50
# A worker reads a calendar within seconds after it is due.
LATE = dt.timedelta(minutes=10)


def calendar_notices(access: Access) -> Iterator[Notice]:
    if access.may(Area.KEYS, Power.VIEW):
        yield from away(access)
    if access.may(Area.APPOINTMENTS, Power.VIEW):
        yield from conflicts(access)


def away(access: Access) -> Iterator[Notice]:
    """Calendars that fail, that no worker reads, and that have entries which nobody is kept from."""
    late = Q(next_read_at__lt=timezone.now() - LATE)
    rows = ConnectedCalendar.objects.visible_to(access.principal(Area.KEYS)).select_related("resource__organization")
    for row in rows.filter(late | Q(failing_since__isnull=False) | Q(unreadable_events__gt=0))[:MOST_ROWS]:
        last = f"Busy times are those of {when_of(row, row.read_at)}." if row.read_at else "Busy times are not known."
        if row.failing_since is not None:
            text, advice = f"{row} cannot be read since {when_of(row, row.failing_since)}", f"{row.last_error} {last}"
        elif row.next_read_at < timezone.now() - LATE:
            text, advice = f"{row} is not being read", f"{last} No worker is running."
        else:
            text = f"{row} has {some(row.unreadable_events, 'entry', 'entries')} that could not be read"
            advice = "Appointments may be booked over them. Entries that repeat by the hour are such ones."
        yield Notice(text, advice, "event_busy", "warning",
                     reverse("admin:voice_sessions_connectedcalendar_change", args=(row.pk,)))  # fmt: skip


def conflicts(access: Access) -> Iterator[Notice]:
    """Coming appointments that a person has changed in a calendar, and those whose resource is busy otherwise."""
    entries = CalendarEntry.objects.filter(appointment=OuterRef("pk"))
    visible = Appointment.objects.visible_to(access.principal(Area.APPOINTMENTS)).select_related("organization")
    coming = visible.filter(starts_at__gt=timezone.now()).annotate(
        is_changed=Exists(entries.filter(change__in=UNDECIDED)), is_in_busy_time=Exists(busy_times_of_appointment())
    )
    is_busy = Q(is_in_busy_time=True, state=AppointmentState.BOOKED)
    found = coming.annotate(is_busy=is_busy).filter(Q(is_changed=True) | Q(is_busy=True)).order_by("starts_at")
    rows = list(found[:MOST_APPOINTMENTS])
    if changed := sum(row.is_changed for row in rows):
        yield Notice(f"{some(changed, 'appointment')} changed in a calendar",
                     "Nothing was overwritten. Open it, and decide which one counts.", "edit_calendar", "danger",
                     link("voice_sessions_calendarentry", change__in=",".join(UNDECIDED)))  # fmt: skip
    for row in [row for row in rows if row.is_busy][:MOST_ROWS]:
        yield Notice(f"{row} at {when_of(row, row.starts_at)} is in a busy time",
                     "Something else stands in the calendar then. Move one of them.", "event_busy", "danger",
                     reverse("admin:voice_sessions_appointment_change", args=(row.pk,)))  # fmt: skip


def busy_times_of_appointment() -> QuerySet[BusyTime]:
    """Of its resources, while it takes place. A moved entry of another one counts, its own does not."""
    return BusyTime.objects.filter(
        resource__booked__appointment=OuterRef("pk"),
        starts_at__lt=OuterRef("ends_at"),
        ends_at__gt=OuterRef("starts_at"),
    ).exclude(appointment=OuterRef("pk"))
