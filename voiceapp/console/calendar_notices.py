"""What needs attention in calendars: one that is away, a person's change, and an appointment in a busy time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from agents.hours.local_time import when_of
from agents.organizations.access import Access
from agents.organizations.roles import Area, Power
from sessions.appointments.calendars.models import BusyTime, CalendarEntry, ConnectedCalendar
from sessions.appointments.models import Appointment, AppointmentState

from .attention import MOST_ROWS, Notice
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
        text, advice = _trouble_of(row)
        yield Notice(text, advice, "event_busy", "warning",
                     reverse("admin:voice_sessions_connectedcalendar_change", args=(row.pk,)))  # fmt: skip


def _trouble_of(row: ConnectedCalendar) -> tuple[str, str]:
    """What is wrong with it, and what follows."""
    last = gettext("Busy times are not known.")
    if row.read_at:
        last = gettext("Busy times are those of %(time)s.") % {"time": when_of(row, row.read_at)}
    named = {"calendar": row}
    if row.failing_since is not None:
        text = gettext("%(calendar)s cannot be read since %(time)s")
        return text % {**named, "time": when_of(row, row.failing_since)}, f"{row.last_error} {last}"
    if row.next_read_at < timezone.now() - LATE:
        why = gettext("No worker is running.")
        return gettext("%(calendar)s is not being read") % named, f"{last} {why}"
    text = ngettext(
        "%(calendar)s has %(number)s entry that could not be read",
        "%(calendar)s has %(number)s entries that could not be read",
        row.unreadable_events,
    )
    advice = gettext("Appointments may be booked over them. Entries that repeat by the hour are such ones.")
    return text % {**named, "number": row.unreadable_events}, advice


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
        text = ngettext(
            "%(number)s appointment changed in a calendar", "%(number)s appointments changed in a calendar", changed
        )
        advice = gettext("Nothing was overwritten. Open it, and decide which one counts.")
        yield Notice(text % {"number": changed}, advice, "edit_calendar", "danger",
                     link("voice_sessions_calendarentry", change__in=",".join(UNDECIDED)))  # fmt: skip
    for row in [row for row in rows if row.is_busy][:MOST_ROWS]:
        text = gettext("%(appointment)s at %(time)s is in a busy time")
        advice = gettext("Something else stands in the calendar then. Move one of them.")
        yield Notice(text % {"appointment": row, "time": when_of(row, row.starts_at)}, advice, "event_busy", "danger",
                     reverse("admin:voice_sessions_appointment_change", args=(row.pk,)))  # fmt: skip


def busy_times_of_appointment() -> QuerySet[BusyTime]:
    """Of its resources, while it takes place. A moved entry of another one counts, its own does not."""
    return BusyTime.objects.filter(
        resource__booked__appointment=OuterRef("pk"),
        starts_at__lt=OuterRef("ends_at"),
        ends_at__gt=OuterRef("starts_at"),
    ).exclude(appointment=OuterRef("pk"))
