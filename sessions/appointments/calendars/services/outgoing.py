"""Appointments into connected calendars: by the outbox, and never over what a person changed there."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q
from django.utils import timezone

from agents.resources.models import Resource
from sessions.appointments.calendars.events import event_of, uid_of
from sessions.appointments.calendars.models import CalendarEntry, ConnectedCalendar
from sessions.appointments.calendars.services.busy_times import Times, note_change
from sessions.appointments.calendars.services.connections import find_calendar, open_calendar
from sessions.appointments.models import Appointment, AppointmentState
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from voiceapp.core.ical.reading import Unreadable, read_event
from voiceapp.core.ical.writing import write_event
from voiceapp.core.jobs.engine import NotConfigured
from voiceapp.providers.caldav.client import CalDavCalendar, StoredObject
from voiceapp.providers.caldav.errors import CalendarError, Trouble
from voiceapp.providers.errors import RetryClass

TOPIC = "appointment.calendar"
Change = CalendarEntry.Change


def enqueue_calendar_updates(appointment: Appointment) -> None:
    """Bring the appointment's calendars up to date after the transaction in which it was booked, moved or canceled.

    Those of its resources, and those in which it stood before it got other ones.
    """
    now_or_before = Q(resource__booked__appointment=appointment) | Q(entries__appointment=appointment)
    calendars = ConnectedCalendar.objects.filter(now_or_before, writes_appointments=True)
    for calendar in calendars.order_by().distinct():
        enqueue_updates(calendar, [appointment])


def enqueue_missing(calendar: ConnectedCalendar) -> None:
    """The coming appointments of a calendar that was just connected."""
    if not calendar.writes_appointments:
        return
    coming = Appointment.objects.filter(
        booked__resource_id=calendar.resource_id, state=AppointmentState.BOOKED, starts_at__gt=timezone.now()
    )
    enqueue_updates(calendar, coming.exclude(calendar_entries__calendar=calendar).select_related("organization"))


def enqueue_updates(calendar: ConnectedCalendar, appointments: Iterable[Appointment]) -> None:
    """The entries say what is on its way, so that nothing is enqueued twice for want of one."""
    rows = list(appointments)
    entries = [CalendarEntry(calendar=calendar, appointment=appointment) for appointment in rows]
    CalendarEntry.objects.bulk_create(entries, ignore_conflicts=True)
    for appointment in rows:
        outbox.enqueue(
            TOPIC,
            partition_key=f"{calendar.pk}:{appointment.pk}",
            body={"appointmentId": str(appointment.pk), "calendarId": calendar.pk},
            organization=appointment.organization,
        )


def retry_failed_updates(calendar: ConnectedCalendar) -> None:
    """After the calendar works again."""
    failed = OutboxMessage.objects.filter(topic=TOPIC, state=OutboxMessage.State.FAILED, body__calendarId=calendar.pk)
    outbox.retry(failed)


def update_calendar(message: OutboxMessage) -> None:
    """Make the calendar say what the appointment is now, whatever it was when the message was written.

    Raises CalendarError, and NotConfigured where the calendar is no longer connected.
    """
    entries = CalendarEntry.objects.select_related("calendar__resource__organization", "appointment__organization")
    entry = entries.filter(
        calendar=message.body["calendarId"],
        appointment=message.body["appointmentId"],
        calendar__writes_appointments=True,
    ).first()
    if entry is None:
        raise NotConfigured("The calendar is no longer connected.")
    if entry.change or entry.written_version >= entry.appointment.version:
        # What a person changed waits until somebody decides; what is written needs no second time.
        return
    if not entry.calendar.calendar_url:
        find_calendar(entry.calendar)
    etag = _bring_up_to_date(open_calendar(entry.calendar), entry)
    if etag is not None:
        CalendarEntry.objects.filter(pk=entry.pk).update(
            etag=etag, written_version=entry.appointment.version, written_at=timezone.now(), may_overwrite=False
        )


def overwrite_change(entry: CalendarEntry) -> None:
    """The operator's decision: the calendar gets the appointment as we have it."""
    CalendarEntry.objects.filter(pk=entry.pk).update(
        change=Change.NONE, changed_to_start=None, changed_to_end=None, noticed_at=None, written_version=0,
        may_overwrite=True,
    )  # fmt: skip
    enqueue_updates(entry.calendar, [entry.appointment])


def leave_change(entry: CalendarEntry) -> None:
    """The operator's other decision: the calendar stays as it is, and the appointment is no longer written there."""
    CalendarEntry.objects.filter(pk=entry.pk).update(change=Change.LEFT, noticed_at=None)


def _bring_up_to_date(client: CalDavCalendar, entry: CalendarEntry) -> str | None:
    """The ETag of what stands there now, empty for nothing; None if a person's change was left alone."""
    name, text = uid_of(entry.appointment, entry.calendar.resource_id), _text_of(entry)
    if entry.etag or text is not None:
        try:
            return _put(client, name, text, etag=entry.etag)
        except CalendarError as exc:
            # Where an event is gone, servers answer a condition with either.
            if exc.trouble is not Trouble.CHANGED and not (entry.etag and exc.trouble is Trouble.NOT_FOUND):
                raise
    stored = client.read(name)
    change, to = _change_of(entry, stored)
    if change is not Change.NONE and not entry.may_overwrite and (stored is not None or text is not None):
        note_change(entry, change, to)
        return None
    try:
        return _put(client, name, text, etag=stored.etag) if stored else _put(client, name, text, etag="")
    except CalendarError as exc:
        if exc.trouble is not Trouble.CHANGED:
            raise
        raise CalendarError(Trouble.CHANGED, "again", retry_class=RetryClass.AGAIN) from exc


def _text_of(entry: CalendarEntry) -> bytes | None:
    """None: it does not belong into the calendar, or no longer."""
    appointment, calendar = entry.appointment, entry.calendar
    resources = list(Resource.objects.filter(booked__appointment=appointment).order_by("position", "pk"))
    if appointment.state == AppointmentState.CANCELED or calendar.resource not in resources:
        return None
    event = event_of(
        appointment, resources=resources, shows_customer=calendar.shows_customers, resource_id=calendar.resource_id
    )
    return write_event(event)


def _put(client: CalDavCalendar, name: str, text: bytes | None, *, etag: str) -> str:
    if text is None:
        if etag:
            client.remove(name, etag=etag)
        return ""
    etag = client.write(name, text, etag=etag)
    if not etag and (stored := client.read(name)) is not None:
        # A server that stores it otherwise than we sent it names no ETag (RFC 4791, 5.3.4).
        etag = stored.etag
    return etag


def _change_of(entry: CalendarEntry, stored: StoredObject | None) -> tuple[CalendarEntry.Change, Times | None]:
    """What a person did: nothing, if only the server's version differs, or our last writing was not confirmed."""
    if stored is None:
        return (Change.REMOVED if entry.etag else Change.NONE), None
    try:
        read = read_event(stored.text, zone=entry.calendar.resource.organization.zone)
    except Unreadable:
        return Change.MOVED, None
    return (Change.NONE, None) if read.is_untouched else (Change.MOVED, (read.starts_at, read.ends_at))
