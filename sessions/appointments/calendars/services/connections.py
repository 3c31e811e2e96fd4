"""Connecting a resource's calendar: which one it is, and a sentence about what is wrong with it."""

from __future__ import annotations

import datetime as dt
import uuid

from django.utils import timezone

from sessions.appointments.calendars.models import ConnectedCalendar
from voiceapp.core.errors import ApplicationError
from voiceapp.core.ical.writing import CalendarEvent, write_event
from voiceapp.core.secret_box import SealBroken
from voiceapp.providers.caldav.client import WHOLE_S, CalDavCalendar
from voiceapp.providers.caldav.errors import CalendarError, Trouble
from voiceapp.providers.caldav.transport import Credentials

MOST_OFFERED = 50
LONGEST_NAME = 200


def open_calendar(calendar: ConnectedCalendar, url: str = "", *, whole_s: float = WHOLE_S) -> CalDavCalendar:
    """A client for one piece of work. Raises CalendarError."""
    try:
        credentials = Credentials(calendar.username, calendar.password)
    except SealBroken as exc:
        raise CalendarError(Trouble.NO_PASSWORD) from exc
    return CalDavCalendar.from_settings(url or calendar.calendar_url, credentials, whole_s=whole_s)


def find_calendar(calendar: ConnectedCalendar) -> None:
    """Find the calendar by its address and keep it, or keep those among which to choose. Raises CalendarError."""
    found = open_calendar(calendar, calendar.address).find()
    if not found:
        raise CalendarError(Trouble.NO_CALENDAR)
    kept = ConnectedCalendar.objects.filter(pk=calendar.pk, address=calendar.address)
    if len(found) > 1:
        kept.update(offered=[(each.url, each.name[:LONGEST_NAME]) for each in found[:MOST_OFFERED]])
        raise CalendarError(Trouble.SEVERAL)
    calendar.calendar_url, calendar.calendar_name = found[0].url, found[0].name[:LONGEST_NAME]
    kept.update(calendar_url=calendar.calendar_url, calendar_name=calendar.calendar_name)


def check_connection(calendar: ConnectedCalendar) -> str:
    """Find the calendar, query it, and write into it if that is wanted; what was found, as a sentence.

    Raises ApplicationError with what is wrong.
    """
    try:
        if not calendar.calendar_url:
            find_calendar(calendar)
        client = open_calendar(calendar)
        now = timezone.now()
        client.check_readable(now)
        if calendar.writes_appointments:
            _write_and_remove(client, now)
    except CalendarError as exc:
        raise ApplicationError(exc.reason) from exc
    access = "can be read and written" if calendar.writes_appointments else "can be read"
    return f"The calendar “{calendar.calendar_name}” {access}."


def _write_and_remove(client: CalDavCalendar, now: dt.datetime) -> None:
    """An event that takes no time and is gone at once."""
    uid = f"test-{uuid.uuid4().hex}"
    until = now + dt.timedelta(minutes=5)
    event = CalendarEvent(uid, now, until, "Connection test", created_at=now, changed_at=now, is_canceled=True)
    client.remove(uid, etag=client.write(uid, write_event(event)))
