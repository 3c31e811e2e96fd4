"""A connected calendar's busy times: nobody is offered them, also while the calendar is away."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from agents.tests.builders import make_resource
from sessions.appointments.calendars.models import BusyTime, CalendarEntry, ConnectedCalendar
from sessions.appointments.calendars.services import schedule
from sessions.appointments.calendars.services.schedule import LEASE, read_due_calendars, refresh_soon
from sessions.appointments.models import Appointment
from sessions.appointments.queries import load_calendar
from sessions.appointments.services.booking import NotPossible
from voiceapp.providers.caldav.tests.radicale_server import RadicaleServer

from .conftest import Garage, deliver

Change = CalendarEntry.Change


@pytest.fixture
def calendar(garage: Garage, server: RadicaleServer) -> ConnectedCalendar:
    return garage.connect(server)


def put(server: RadicaleServer, garage: Garage, name: str, hour: int, *lines: str, minutes: int = 60) -> None:
    server.put(name, f"DTSTART:{garage.at(hour):%Y%m%dT%H%M%SZ}", f"DURATION:PT{minutes}M", *lines)


def read_again(calendar: ConnectedCalendar) -> ConnectedCalendar:
    """Although it is not due, and after what was written a moment ago."""
    ConnectedCalendar.objects.update(next_read_at=timezone.now())
    read_due_calendars()
    calendar.refresh_from_db()
    return calendar


def is_free(garage: Garage, hour: int, minute: int = 0) -> bool:
    start = garage.at(hour, minute)
    service = garage.organization.services.get()
    found = load_calendar(garage.organization, service, timezone.now(), first=start, last=start)
    return found.availability.starts() == [start]


def move_by_hand(server: RadicaleServer, garage: Garage, appointment: Appointment, hour: int) -> None:
    url = f"{server.calendar_url}{appointment.pk.hex}.{garage.mia.pk}@voiceapp.ics"
    text = server.send("GET", url).text
    moved = text.replace(f"{appointment.starts_at:T%H%M%SZ}", f"T{hour:02}0000Z")
    moved = moved.replace(f"{appointment.ends_at:T%H%M%SZ}", f"T{hour:02}3000Z")
    assert server.send("PUT", url, moved, **{"Content-Type": "text/calendar"}).status_code == 204


# What is busy


def test_a_busy_time_is_not_offered(garage: Garage, server: RadicaleServer, calendar: ConnectedCalendar) -> None:
    put(server, garage, "dentist", 10)
    assert is_free(garage, 10)
    assert read_due_calendars() == 1
    assert [is_free(garage, *at) for at in ((9, 30), (9, 35), (10, 0), (10, 55), (11, 0))] == [
        True, False, False, False, True,
    ]  # fmt: skip
    with pytest.raises(NotPossible):
        garage.book(10)


def test_somebody_else_who_is_free_does_it(garage: Garage, server: RadicaleServer, calendar: ConnectedCalendar) -> None:
    tom = make_resource(garage.organization, "Tom")
    put(server, garage, "dentist", 10)
    read_due_calendars()
    assert garage.book(10).resources.get() == tom


def test_what_was_removed_is_free_again(garage: Garage, server: RadicaleServer, calendar: ConnectedCalendar) -> None:
    put(server, garage, "dentist", 10)
    put(server, garage, "weekly", 15, "RRULE:FREQ=WEEKLY")
    read_due_calendars()
    number = BusyTime.objects.count()
    kept = set(BusyTime.objects.filter(starts_at__hour=15).values_list("pk", flat=True))
    server.send("DELETE", f"{server.calendar_url}dentist.ics")
    read_again(calendar)
    assert is_free(garage, 10)
    assert BusyTime.objects.count() == number - 1
    # The others are not written anew.
    assert set(BusyTime.objects.values_list("pk", flat=True)) == kept


def test_times_that_overlap_are_kept_as_one(
    garage: Garage, server: RadicaleServer, calendar: ConnectedCalendar
) -> None:
    for number, hour in enumerate((10, 10, 11)):
        put(server, garage, f"e{number}", hour)
    read_due_calendars()
    busy = BusyTime.objects.get()
    assert (busy.starts_at, busy.ends_at) == (garage.at(10), garage.at(12))


def test_a_calendar_may_be_written_only(garage: Garage, server: RadicaleServer) -> None:
    garage.connect(server, reads_busy_times=False)
    put(server, garage, "dentist", 10)
    read_due_calendars()
    assert is_free(garage, 10)


def test_events_that_are_not_understood_are_counted(
    garage: Garage, server: RadicaleServer, calendar: ConnectedCalendar
) -> None:
    put(server, garage, "hourly", 10, "RRULE:FREQ=HOURLY;COUNT=3", minutes=10)
    assert read_again(calendar).unreadable_events == 1


def test_availability_takes_no_further_query(
    garage: Garage,
    server: RadicaleServer,
    calendar: ConnectedCalendar,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    service = garage.organization.services.get()

    def load() -> None:
        load_calendar(garage.organization, service, timezone.now())

    put(server, garage, "weekly", 15, "RRULE:FREQ=DAILY")
    read_due_calendars()
    with django_assert_num_queries(6):
        load()
    make_resource(garage.organization, "Tom")
    with django_assert_num_queries(6):
        load()


# Our own events


def test_our_own_appointments_are_not_busy_twice(
    garage: Garage, server: RadicaleServer, calendar: ConnectedCalendar
) -> None:
    appointment = garage.book(9)
    deliver()
    read_again(calendar)
    assert BusyTime.objects.count() == 0
    garage.cancel(appointment)
    # Not removed from the calendar yet.
    assert is_free(garage, 9)


def test_resources_that_share_a_calendar_do_not_block_each_other(
    garage: Garage, server: RadicaleServer, calendar: ConnectedCalendar
) -> None:
    tom = make_resource(garage.organization, "Tom")
    toms = garage.connect(server, tom)
    garage.book(9)
    deliver()
    read_again(calendar)
    read_again(toms)
    assert garage.book(9).resources.get() == tom


def test_another_installations_appointment_is_busy(
    garage: Garage, server: RadicaleServer, calendar: ConnectedCalendar
) -> None:
    put(server, garage, "a" * 32 + ".1@voiceapp", 10)
    read_due_calendars()
    assert not is_free(garage, 10)


def test_what_a_person_moved_is_noticed_and_busy_at_both_times(
    garage: Garage, server: RadicaleServer, calendar: ConnectedCalendar
) -> None:
    appointment = garage.book(9)
    deliver()
    move_by_hand(server, garage, appointment, 14)
    read_again(calendar)
    entry = CalendarEntry.objects.get()
    assert (entry.change, entry.changed_to_start, entry.changed_to_end) == (
        Change.MOVED, garage.at(14), garage.at(14, 30),
    )  # fmt: skip
    assert (is_free(garage, 9), is_free(garage, 14)) == (False, False)
    # The appointment itself may follow.
    assert garage.move(appointment, 14).starts_at == garage.at(14)


def test_what_a_person_moved_back_is_no_change(
    garage: Garage, server: RadicaleServer, calendar: ConnectedCalendar
) -> None:
    appointment = garage.book(9)
    deliver()
    server_text = server.get(f"{appointment.pk.hex}.{garage.mia.pk}@voiceapp")
    move_by_hand(server, garage, appointment, 14)
    read_again(calendar)
    url = f"{server.calendar_url}{appointment.pk.hex}.{garage.mia.pk}@voiceapp.ics"
    server.send("PUT", url, server_text, **{"Content-Type": "text/calendar"})
    read_again(calendar)
    entry = CalendarEntry.objects.get()
    assert (entry.change, entry.noticed_at) == (Change.NONE, None)
    assert is_free(garage, 14)


def test_what_a_person_removed_is_noticed(garage: Garage, server: RadicaleServer, calendar: ConnectedCalendar) -> None:
    appointment = garage.book(9)
    deliver()
    server.send("DELETE", f"{server.calendar_url}{appointment.pk.hex}.{garage.mia.pk}@voiceapp.ics")
    read_again(calendar)
    assert CalendarEntry.objects.get().change == Change.REMOVED
    assert not is_free(garage, 9)


def test_what_is_still_to_be_written_is_not_missed(
    garage: Garage, server: RadicaleServer, calendar: ConnectedCalendar
) -> None:
    appointment = garage.book(9)
    read_again(calendar)
    assert CalendarEntry.objects.get().change == Change.NONE
    deliver()
    garage.move(appointment, 11)
    read_again(calendar)
    assert CalendarEntry.objects.get().change == Change.NONE


# A calendar that is away


def test_the_last_busy_times_count_while_the_calendar_is_away(
    garage: Garage, server: RadicaleServer, calendar: ConnectedCalendar
) -> None:
    put(server, garage, "dentist", 10)
    before = read_again(calendar)
    server.status = "503 Unavailable"
    after = read_again(calendar)
    assert not is_free(garage, 10)
    assert garage.book(12).starts_at == garage.at(12)
    assert (after.read_at, after.failures) == (before.read_at, 1)
    assert after.failing_since is not None
    assert after.last_error.startswith("The server reports a fault of its own.")
    server.status = ""
    recovered = read_again(calendar)
    assert (recovered.failing_since, recovered.failures, recovered.last_error) == (None, 0, "")


def test_a_calendar_that_stays_away_is_read_less_often(
    garage: Garage, server: RadicaleServer, calendar: ConnectedCalendar
) -> None:
    server.status = "503 Unavailable"
    waits = []
    for _ in range(5):
        waits.append(round((read_again(calendar).next_read_at - timezone.now()).total_seconds() / 60))
    assert waits == [10, 20, 40, 60, 60]


def test_a_secret_key_that_changed_is_said(garage: Garage, server: RadicaleServer, calendar: ConnectedCalendar) -> None:
    ConnectedCalendar.objects.update(sealed_password="broken")
    assert "Enter it again" in read_again(calendar).last_error


# When it is read


def test_only_what_is_due_is_read(garage: Garage, server: RadicaleServer, calendar: ConnectedCalendar) -> None:
    assert read_due_calendars() == 1
    assert read_due_calendars() == 0


def test_no_two_workers_read_a_calendar(garage: Garage, server: RadicaleServer, calendar: ConnectedCalendar) -> None:
    ConnectedCalendar.objects.update(reading_until=timezone.now() + LEASE)
    assert read_due_calendars() == 0
    ConnectedCalendar.objects.update(reading_until=timezone.now() - dt.timedelta(seconds=1))
    assert read_due_calendars() == 1


def test_a_caller_who_asks_for_a_time_has_old_calendars_read(
    garage: Garage,
    server: RadicaleServer,
    calendar: ConnectedCalendar,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: object,
) -> None:
    woken: list[str] = []
    monkeypatch.setattr(schedule, "wake_up", lambda: woken.append("read"))
    read_again(calendar)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        refresh_soon(garage.organization.pk)
    assert (woken, read_due_calendars()) == ([], 0)
    ConnectedCalendar.objects.update(read_at=timezone.now() - dt.timedelta(minutes=2))
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        refresh_soon(garage.organization.pk)
    assert (woken, read_due_calendars()) == (["read"], 1)
