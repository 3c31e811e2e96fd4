"""Busy times of connected calendars: read again and again, kept while the calendar is away, used by availability."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from agents.catalog.models.service import MOST_DAYS_AHEAD
from sessions.appointments.calendars.events import appointment_id_of, uid_of
from sessions.appointments.calendars.models import BusyTime, CalendarEntry, ConnectedCalendar
from sessions.appointments.calendars.services.connections import find_calendar, open_calendar
from sessions.appointments.models import Appointment, AppointmentState
from voiceapp.core.ical.reading import Busy
from voiceapp.providers.caldav.client import READ_S
from voiceapp.providers.errors import ProviderError

log = structlog.get_logger("calendars")

AHEAD = dt.timedelta(days=MOST_DAYS_AHEAD + 1)
READ_EVERY = dt.timedelta(minutes=10)
LONGEST_PAUSE = dt.timedelta(hours=1)
BATCH = 500
Times = tuple[dt.datetime, dt.datetime]
# From when to when, and the appointment whose entry a person has moved there.
Span = tuple[dt.datetime, dt.datetime, UUID | None]


def read_calendar(calendar: ConnectedCalendar) -> bool:
    """Read its busy times and keep them; False, and the last ones stay, if that fails."""
    now = timezone.now()
    organization = calendar.resource.organization
    try:
        if not calendar.calendar_url:
            find_calendar(calendar)
        client = open_calendar(calendar, whole_s=READ_S)
        read = client.read_busy(zone=organization.zone, begins_at=now, ends_at=now + AHEAD)
    except ProviderError as exc:
        _note_failure(calendar, exc)
        return False
    with transaction.atomic():
        own, others = _separate(calendar, read.busy)
        busy = [*_merged(others), *_note_changes(calendar, own, read_at=now)]
        _replace(calendar, busy if calendar.reads_busy_times else [])
        ConnectedCalendar.objects.filter(pk=calendar.pk).update(
            read_at=now,
            next_read_at=timezone.now() + READ_EVERY,
            reading_until=None,
            failing_since=None,
            failures=0,
            last_error="",
            unreadable_events=read.unreadable,
        )
    return True


def _note_failure(calendar: ConnectedCalendar, exc: ProviderError) -> None:
    now = timezone.now()
    pause = min(READ_EVERY * 2.0 ** min(calendar.failures, 8), LONGEST_PAUSE)
    wait = max(pause, dt.timedelta(seconds=exc.retry_after_s or 0))
    ConnectedCalendar.objects.filter(pk=calendar.pk).update(
        next_read_at=now + wait,
        reading_until=None,
        failing_since=calendar.failing_since or now,
        failures=F("failures") + 1,
        last_error=exc.reason[:300],
    )
    log.warning("calendar not read", calendar=calendar.pk, error=type(exc).__name__)


def _separate(calendar: ConnectedCalendar, busy: Iterable[Busy]) -> tuple[list[Busy], list[Busy]]:
    """Events of appointments that we know, and all others: a copy of our event elsewhere is a stranger's."""
    by_id = {each: appointment_id_of(each.uid) for each in busy}
    known = set(
        Appointment.objects.filter(
            pk__in={found for found in by_id.values() if found is not None},
            organization_id=calendar.resource.organization_id,
        ).values_list("pk", flat=True)
    )
    own = [each for each, found in by_id.items() if found in known]
    return own, [each for each, found in by_id.items() if found not in known]


def _note_changes(calendar: ConnectedCalendar, own: Iterable[Busy], *, read_at: dt.datetime) -> list[Span]:
    """Note which of our events a person moved or removed; the times to which they were moved.

    An event that was written after the reading began, or that is still to be written, is not judged.
    """
    by_uid: dict[str, list[Busy]] = defaultdict(list)
    for each in own:
        by_uid[each.uid].append(each)
    entries = calendar.entries.filter(
        Q(written_version=F("appointment__version"), written_at__lt=read_at) | Q(change=CalendarEntry.Change.LEFT),
        appointment__state=AppointmentState.BOOKED,
        appointment__starts_at__gt=read_at,
        appointment__starts_at__lt=read_at + AHEAD,
    )
    moved: list[Span] = []
    for entry in entries.select_related("appointment"):
        appointment = entry.appointment
        found = by_uid.get(uid_of(appointment, calendar.resource_id), [])
        elsewhere = [each for each in found if each.times != (appointment.starts_at, appointment.ends_at)]
        moved += [(*each.times, appointment.pk) for each in elsewhere]
        if entry.change != CalendarEntry.Change.LEFT:
            note_change(entry, *_change(found, elsewhere))
    return moved


def _change(found: Sequence[Busy], elsewhere: Sequence[Busy]) -> tuple[CalendarEntry.Change, Times | None]:
    if elsewhere:
        return CalendarEntry.Change.MOVED, elsewhere[0].times
    return (CalendarEntry.Change.NONE if found else CalendarEntry.Change.REMOVED), None


def note_change(entry: CalendarEntry, change: CalendarEntry.Change, to: Times | None = None) -> None:
    """What a person did with an event of ours in the calendar, unless it is known already."""
    starts_at, ends_at = to or (None, None)
    if (entry.change, entry.changed_to_start, entry.changed_to_end) == (change, starts_at, ends_at):
        return
    CalendarEntry.objects.filter(pk=entry.pk, written_version=entry.written_version).update(
        change=change,
        changed_to_start=starts_at,
        changed_to_end=ends_at,
        noticed_at=None if change == CalendarEntry.Change.NONE else timezone.now(),
    )


def _replace(calendar: ConnectedCalendar, busy: Iterable[Span]) -> None:
    """Write what differs from the last reading."""
    wanted = set(busy)
    rows = calendar.busy_times.values_list("pk", "starts_at", "ends_at", "appointment_id")
    kept: dict[Span, int] = {(starts_at, ends_at, of): pk for pk, starts_at, ends_at, of in rows}
    gone = [pk for span, pk in kept.items() if span not in wanted]
    for first in range(0, len(gone), BATCH):
        BusyTime.objects.filter(pk__in=gone[first : first + BATCH]).delete()
    fresh = [
        BusyTime(
            calendar=calendar, resource_id=calendar.resource_id, starts_at=starts_at, ends_at=ends_at, appointment_id=of
        )
        for starts_at, ends_at, of in wanted - kept.keys()
    ]
    BusyTime.objects.bulk_create(fresh, batch_size=BATCH)


def _merged(busy: Iterable[Busy]) -> list[Span]:
    """Times that touch are one."""
    spans: list[Span] = []
    for each in sorted(busy, key=lambda each: each.starts_at):
        if spans and each.starts_at <= spans[-1][1]:
            spans[-1] = spans[-1][0], max(spans[-1][1], each.ends_at), None
        else:
            spans.append((*each.times, None))
    return spans
