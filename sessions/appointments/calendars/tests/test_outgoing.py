"""Appointments in a connected calendar: written, moved and removed once, and never over what a person changed."""

from __future__ import annotations

import pytest
from django.db import transaction

from agents.tests.builders import make_resource, make_service
from sessions.appointments.calendars.models import CalendarEntry, ConnectedCalendar
from sessions.appointments.calendars.services.connections import find_calendar
from sessions.appointments.calendars.services.outgoing import leave_change, overwrite_change
from sessions.appointments.calendars.services.schedule import read_due_calendars
from sessions.appointments.models import Appointment
from sessions.appointments.services.booking import move_appointment
from sessions.appointments.services.undoing import undo_change
from sessions.messages.models import OutboxMessage
from voiceapp.core.ical.reading import read_event
from voiceapp.providers.caldav.tests.radicale_server import PASSWORD, RadicaleServer

from .conftest import ALICE, Garage, deliver

Change = CalendarEntry.Change


def names(server: RadicaleServer) -> list[str]:
    """Of the objects in the calendar."""
    listing = server.send("PROPFIND", server.calendar_url, Depth="1").text
    return [part.partition(".ics")[0] for part in listing.split("/garage/lift-1/") if ".ics" in part[:60]]


def stored(server: RadicaleServer, garage: Garage, appointment: Appointment) -> tuple[str, str]:
    """When it begins in the calendar, and its summary; empty if it is not there."""
    text = server.get(f"{appointment.pk.hex}.{garage.mia.pk}@voiceapp")
    if not text:
        return "", ""
    read = read_event(text.encode(), zone=garage.organization.zone)
    return f"{read.starts_at:%H:%M}", read.summary


def change_by_hand(server: RadicaleServer, garage: Garage, appointment: Appointment, old: str, new: str) -> None:
    name = f"{appointment.pk.hex}.{garage.mia.pk}@voiceapp"
    text = server.get(name)
    assert old in text
    url = f"{server.calendar_url}{name}.ics"
    assert server.send("PUT", url, text.replace(old, new), **{"Content-Type": "text/calendar"}).status_code == 204


def remove_by_hand(server: RadicaleServer, garage: Garage, appointment: Appointment) -> None:
    url = f"{server.calendar_url}{appointment.pk.hex}.{garage.mia.pk}@voiceapp.ics"
    assert server.send("DELETE", url).status_code == 200


def messages(state: str) -> int:
    return OutboxMessage.objects.filter(topic="appointment.calendar", state=state).count()


@pytest.fixture
def calendar(garage: Garage, server: RadicaleServer) -> ConnectedCalendar:
    return garage.connect(server)


def test_a_booking_is_written_moved_and_removed(
    garage: Garage, server: RadicaleServer, calendar: ConnectedCalendar
) -> None:
    appointment = garage.book(9)
    assert stored(server, garage, appointment) == ("", "")
    assert deliver() == 1
    assert stored(server, garage, appointment) == ("09:00", "Oil change: Miller")
    garage.move(appointment, 14)
    deliver()
    assert stored(server, garage, appointment) == ("14:00", "Oil change: Miller")
    garage.cancel(appointment)
    deliver()
    assert names(server) == []


def test_what_is_passed_on_to_a_colleague_or_undone_reaches_the_calendar(
    garage: Garage, server: RadicaleServer, calendar: ConnectedCalendar
) -> None:
    appointment, tom = garage.book(9), make_resource(garage.organization, "Tom")
    move_appointment(appointment, appointment.starts_at, ALICE, resource=tom)
    deliver()
    assert names(server) == []
    undo_change(appointment, event_id=appointment.events.latest("id").pk)
    deliver()
    assert stored(server, garage, appointment)[0] == "09:00"
    garage.cancel(appointment)
    deliver()
    undo_change(appointment, event_id=appointment.events.latest("id").pk)
    deliver()
    assert stored(server, garage, appointment)[0] == "09:00"


def test_a_booking_that_is_rolled_back_is_never_written(
    garage: Garage, server: RadicaleServer, calendar: ConnectedCalendar
) -> None:
    with transaction.atomic():
        garage.book(9)
        transaction.set_rollback(True)
    assert (deliver(), names(server)) == (0, [])


def test_an_organization_without_calendars_sends_nothing(garage: Garage) -> None:
    garage.book(9)
    assert messages("waiting") == 0


def test_a_calendar_that_hides_customers_names_none(garage: Garage, server: RadicaleServer) -> None:
    garage.connect(server, shows_customers=False)
    appointment = garage.book(9, note="private")
    deliver()
    assert stored(server, garage, appointment) == ("09:00", "Oil change")
    assert "private" not in server.get(f"{appointment.pk.hex}.{garage.mia.pk}@voiceapp")


def test_only_the_newest_state_is_written_however_many_messages_wait(
    garage: Garage, server: RadicaleServer, calendar: ConnectedCalendar
) -> None:
    appointment = garage.book(9)
    garage.move(appointment, 10)
    garage.move(appointment, 11)
    assert deliver() == 3
    assert stored(server, garage, appointment)[0] == "11:00"
    assert [method for method, _ in server.requests].count("PUT") == 1


def test_a_message_that_is_delivered_twice_changes_nothing(
    garage: Garage, server: RadicaleServer, calendar: ConnectedCalendar
) -> None:
    garage.book(9)
    deliver()
    before = len(server.requests)
    OutboxMessage.objects.update(state="waiting")
    deliver()
    assert len(server.requests) == before


def test_a_response_that_was_lost_is_no_conflict(
    garage: Garage, server: RadicaleServer, calendar: ConnectedCalendar
) -> None:
    appointment = garage.book(9)
    deliver()
    # Written there, but not noted here.
    CalendarEntry.objects.update(written_version=0, etag="")
    garage.move(appointment, 10)
    deliver()
    assert stored(server, garage, appointment)[0] == "10:00"
    assert CalendarEntry.objects.get().change == Change.NONE


def test_the_other_resources_of_an_appointment_have_it_too(garage: Garage, server: RadicaleServer) -> None:
    """In the same calendar, and beside each other."""
    bay = make_resource(garage.organization, "Bay 1", kind="bay")
    garage.organization.services.all().delete()
    make_service(garage.organization, "Inspection", needs_bay=True, grid_minutes=5)
    for resource in (garage.mia, bay):
        find_calendar(garage.connect(server, resource))
    appointment = garage.book(9)
    deliver()
    assert sorted(names(server)) == sorted(
        f"{appointment.pk.hex}.{resource.pk}%40voiceapp" for resource in (garage.mia, bay)
    )


def test_it_leaves_the_calendar_of_a_resource_that_no_longer_does_it(
    garage: Garage, server: RadicaleServer, calendar: ConnectedCalendar
) -> None:
    tom = make_resource(garage.organization, "Tom")
    toms, mias = garage.book(9), garage.book(10)
    deliver()
    assert toms.resources.get() == mias.resources.get() == garage.mia
    garage.mia.is_active = False
    garage.mia.save()
    moved = garage.move(toms, 11)
    assert moved.resources.get() == tom
    deliver()
    assert names(server) == [f"{mias.pk.hex}.{garage.mia.pk}%40voiceapp"]


def test_coming_appointments_are_written_when_a_calendar_is_connected(garage: Garage, server: RadicaleServer) -> None:
    appointment = garage.book(9)
    garage.connect(server)
    assert read_due_calendars() == 1
    assert deliver() == 1
    assert stored(server, garage, appointment)[0] == "09:00"
    ConnectedCalendar.objects.update(next_read_at=appointment.created_at)
    read_due_calendars()
    assert messages("waiting") == 0


# A person's changes


@pytest.mark.parametrize("next_step", ["move", "cancel"])
def test_what_a_person_moved_is_not_overwritten(
    garage: Garage, server: RadicaleServer, calendar: ConnectedCalendar, next_step: str
) -> None:
    appointment = garage.book(9)
    deliver()
    change_by_hand(server, garage, appointment, "T090000Z", "T100000Z")
    change_by_hand(server, garage, appointment, "T093000Z", "T103000Z")
    if next_step == "move":
        garage.move(appointment, 14)
    else:
        garage.cancel(appointment)
    assert deliver() == 1
    assert stored(server, garage, appointment)[0] == "10:00"
    entry = CalendarEntry.objects.get()
    assert (entry.change, f"{entry.changed_to_start:%H:%M}", entry.noticed_at is None) == (Change.MOVED, "10:00", False)


def test_the_operator_lets_our_appointment_count(
    garage: Garage, server: RadicaleServer, calendar: ConnectedCalendar
) -> None:
    appointment = garage.book(9)
    deliver()
    change_by_hand(server, garage, appointment, "Miller", "Someone")
    garage.move(appointment, 14)
    deliver()
    overwrite_change(CalendarEntry.objects.get())
    assert deliver() == 1
    assert stored(server, garage, appointment) == ("14:00", "Oil change: Miller")
    entry = CalendarEntry.objects.get()
    assert (entry.change, entry.noticed_at, entry.may_overwrite) == (Change.NONE, None, False)


def test_the_operator_leaves_the_calendar_as_it_is(
    garage: Garage, server: RadicaleServer, calendar: ConnectedCalendar
) -> None:
    appointment = garage.book(9)
    deliver()
    change_by_hand(server, garage, appointment, "Miller", "Someone")
    garage.move(appointment, 14)
    deliver()
    leave_change(CalendarEntry.objects.get())
    garage.move(appointment, 15)
    assert deliver() == 1
    assert stored(server, garage, appointment) == ("09:00", "Oil change: Someone")


def test_what_a_person_removed_is_not_written_again(
    garage: Garage, server: RadicaleServer, calendar: ConnectedCalendar
) -> None:
    appointment = garage.book(9)
    deliver()
    remove_by_hand(server, garage, appointment)
    garage.move(appointment, 14)
    deliver()
    assert names(server) == []
    assert CalendarEntry.objects.get().change == Change.REMOVED
    overwrite_change(CalendarEntry.objects.get())
    deliver()
    assert stored(server, garage, appointment)[0] == "14:00"


def test_what_a_person_removed_may_be_canceled(
    garage: Garage, server: RadicaleServer, calendar: ConnectedCalendar
) -> None:
    appointment = garage.book(9)
    deliver()
    remove_by_hand(server, garage, appointment)
    garage.cancel(appointment)
    deliver()
    assert CalendarEntry.objects.get().change == Change.NONE


def test_an_event_that_a_person_made_unreadable_is_left_alone(
    garage: Garage, server: RadicaleServer, calendar: ConnectedCalendar
) -> None:
    appointment = garage.book(9)
    deliver()
    change_by_hand(server, garage, appointment, "DTEND", "RRULE:FREQ=WEEKLY\r\nDTEND")
    garage.move(appointment, 14)
    deliver()
    assert CalendarEntry.objects.get().change == Change.MOVED


# A calendar that is away


@pytest.mark.parametrize("status", ["503 Unavailable", "500 Oops", "429 Slow down"])
def test_a_server_that_fails_is_tried_again(
    garage: Garage, server: RadicaleServer, calendar: ConnectedCalendar, status: str
) -> None:
    appointment = garage.book(9)
    server.status = status
    assert deliver() == 0
    message = OutboxMessage.objects.get(topic="appointment.calendar")
    assert (message.state, message.attempts) == ("waiting", 1)
    assert "tried again later" in message.last_error
    server.status = ""
    assert deliver() == 1
    assert stored(server, garage, appointment)[0] == "09:00"


def test_a_wrong_password_is_shown_and_the_rest_follows_after_it_is_corrected(
    garage: Garage, server: RadicaleServer, calendar: ConnectedCalendar
) -> None:
    garage.book(9)
    calendar.password = "wrong"
    calendar.save()
    deliver()
    message = OutboxMessage.objects.get(topic="appointment.calendar")
    assert message.state == "failed"
    assert "refuses the user name or the password" in message.last_error
    assert "Miller" not in str(message.body)
    read_due_calendars()
    assert (deliver(), names(server)) == (0, [])
    calendar.password = PASSWORD
    calendar.save(update_fields=["sealed_password"])
    calendar.try_again(is_elsewhere=False)
    read_due_calendars()
    assert deliver() == 1


def test_a_calendar_that_was_disconnected_needs_nothing(
    garage: Garage, server: RadicaleServer, calendar: ConnectedCalendar
) -> None:
    garage.book(9)
    calendar.delete()
    assert deliver() == 0
    assert messages("unconfigured") == 1
