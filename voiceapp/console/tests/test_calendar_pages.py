"""Feeds and connected calendars in the admin: secrets are written or shown once, and what is wrong is said in words."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from agents.resources.models import Resource
from sessions.appointments.calendars.admin import connected_calendar
from sessions.appointments.calendars.models import BusyTime, CalendarEntry, CalendarFeed, ConnectedCalendar
from sessions.appointments.calendars.services.connections import check_connection
from sessions.appointments.models import Appointment
from sessions.messages.models import OutboxMessage
from voiceapp.core.secret_box import SealBroken
from voiceapp.providers.caldav.tests.radicale_server import PASSWORD, USERNAME, RadicaleServer, radicale_server

from .world import World

ADDRESS = re.compile(r"http://127\.0\.0\.1:8080(/calendar/[A-Za-z0-9_-]{43}\.ics)")
Change = CalendarEntry.Change


@pytest.fixture
def server(tmp_path: Path, settings: Settings) -> Iterator[RadicaleServer]:
    settings.SIMULATORS = ["caldav"]  # on loopback
    settings.PUBLIC_BASE_URL = "http://127.0.0.1:8080"
    with radicale_server(tmp_path) as server:
        yield server


def press(client: Client, row: CalendarFeed | ConnectedCalendar | CalendarEntry, button: str) -> str:
    address = reverse(f"admin:voice_sessions_{row._meta.model_name}_press", args=(row.pk, button))
    return client.post(address, follow=True).content.decode()


def connected(world: World, server: RadicaleServer, *, password: str = PASSWORD) -> ConnectedCalendar:
    calendar: ConnectedCalendar = world[ConnectedCalendar]
    calendar.address, calendar.username = server.base_url, USERNAME
    calendar.password = password
    calendar.save()
    return calendar


def save(client: Client, calendar: ConnectedCalendar, **values: str) -> str:
    form = {"resource": calendar.resource_id, "address": calendar.address, "username": calendar.username}
    form |= dict.fromkeys(("reads_busy_times", "writes_appointments", "shows_customers"), "on")
    address = reverse("admin:voice_sessions_connectedcalendar_change", args=(calendar.pk,))
    return client.post(address, {**form, **values}, follow=True).content.decode()


# Feeds


def test_the_address_of_a_new_feed_is_shown_once_and_works(
    client_of_alice: Client, harbour: World, settings: Settings
) -> None:
    settings.PUBLIC_BASE_URL = "http://127.0.0.1:8080"
    add = "/admin/voice_sessions/calendarfeed/add/"
    page = client_of_alice.post(add, {"name": "Reception", "resource": "", "shows_customers": "on"}, follow=True)
    found = ADDRESS.search(page.content.decode())
    assert found is not None
    assert Client().get(found[1]).status_code == 200
    feed = CalendarFeed.objects.get(name="Reception")
    assert (feed.organization, feed.created_by) == (harbour.organization, "alice")
    secret = found[1].removeprefix("/calendar/").removesuffix(".ics")
    for page_of in ("", f"{feed.pk}/change/", f"{feed.pk}/history/"):
        assert secret not in client_of_alice.get(f"/admin/voice_sessions/calendarfeed/{page_of}").content.decode()
    assert not any(secret in entry.change_message + entry.object_repr for entry in LogEntry.objects.all())


def test_a_feed_gets_a_new_address_and_is_revoked(client_of_alice: Client, harbour: World, settings: Settings) -> None:
    settings.PUBLIC_BASE_URL = "http://127.0.0.1:8080"
    feed = harbour[CalendarFeed]
    found = ADDRESS.search(press(client_of_alice, feed, "renew"))
    assert found is not None
    assert Client().get(found[1]).status_code == 200
    press(client_of_alice, feed, "revoke")
    assert Client().get(found[1]).status_code == 404
    assert "no longer possible" in press(client_of_alice, feed, "renew")


# Connected calendars


def test_a_calendar_is_connected_and_tested(client_of_alice: Client, harbour: World, server: RadicaleServer) -> None:
    ConnectedCalendar.objects.all().delete()
    resource = harbour[Resource]
    form = {"resource": resource.pk, "address": server.base_url, "username": USERNAME, "new_password": PASSWORD,
            "reads_busy_times": "on", "writes_appointments": "on"}  # fmt: skip
    client_of_alice.post("/admin/voice_sessions/connectedcalendar/add/", form)
    calendar = ConnectedCalendar.objects.get()
    assert calendar.password == PASSWORD
    assert PASSWORD not in calendar.sealed_password
    page = press(client_of_alice, calendar, "test")
    assert "The calendar “Lift 1” can be read and written." in page
    calendar.refresh_from_db()
    assert calendar.calendar_url == server.calendar_url
    # The test's own entry is gone.
    assert ".ics" not in server.send("PROPFIND", server.calendar_url, Depth="1").text
    assert (
        PASSWORD
        not in page
        + client_of_alice.get(f"/admin/voice_sessions/connectedcalendar/{calendar.pk}/change/").content.decode()
    )


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ("401 Unauthorized", "The server refuses the user name or the password."),
        ("403 Forbidden", "The server responds, but it offers no calendar there."),
        ("404 Not Found", "The server responds, but it offers no calendar there."),
        ("429 Slow down", "The server accepts no more requests for now."),
        ("500 Oops", "The server reports a fault of its own."),
        ("200 OK", "The server responds, but it offers no calendar there."),
    ],
)
def test_what_is_wrong_is_said_in_words(
    client_of_alice: Client, harbour: World, server: RadicaleServer, status: str, sentence: str
) -> None:
    calendar = connected(harbour, server)
    server.status, server.body = status, b"<html>Welcome</html>"
    assert sentence in press(client_of_alice, calendar, "test")


def test_one_of_several_calendars_is_chosen(client_of_alice: Client, harbour: World, server: RadicaleServer) -> None:
    second = f"{server.base_url}/garage/lift-2/"
    server.make_calendar(second)
    calendar = connected(harbour, server)
    page = press(client_of_alice, calendar, "test")
    assert "The user has several calendars. Choose one of them." in page
    assert f'<option value="{second}">Lift 1</option>' in page
    save(client_of_alice, calendar, chosen="https://elsewhere.example/")
    calendar.refresh_from_db()
    assert calendar.calendar_url == ""
    save(client_of_alice, calendar, chosen=second)
    calendar.refresh_from_db()
    assert (calendar.calendar_url, calendar.calendar_name) == (second, "Lift 1")
    assert "can be read and written" in press(client_of_alice, calendar, "test")
    # Another save keeps it.
    save(client_of_alice, calendar, chosen=second)
    calendar.refresh_from_db()
    assert calendar.calendar_url == second


def test_the_password_does_not_follow_the_address_to_another_server(
    client_of_alice: Client, harbour: World, server: RadicaleServer
) -> None:
    calendar = connected(harbour, server)
    page = save(client_of_alice, calendar, address="https://elsewhere.example/dav")
    assert "Enter the password for this address." in page
    calendar.refresh_from_db()
    assert calendar.address == server.base_url
    ConnectedCalendar.objects.update(address="https://elsewhere.example")
    with pytest.raises(SealBroken):
        _ = ConnectedCalendar.objects.get(pk=calendar.pk).password


def test_a_new_address_begins_anew(client_of_alice: Client, harbour: World, server: RadicaleServer) -> None:
    calendar = connected(harbour, server)
    now = timezone.now()
    BusyTime.objects.create(calendar=calendar, resource=calendar.resource, starts_at=now, ends_at=now + dt.timedelta(1))
    save(client_of_alice, calendar, address=server.calendar_url)
    calendar.refresh_from_db()
    assert calendar.address == server.calendar_url
    assert (calendar.password, BusyTime.objects.count(), CalendarEntry.objects.count()) == (PASSWORD, 0, 0)


def test_a_corrected_password_sends_what_failed(
    client_of_alice: Client, harbour: World, server: RadicaleServer
) -> None:
    calendar = connected(harbour, server, password="wrong")
    message = OutboxMessage.objects.create(
        topic="appointment.calendar", organization=harbour.organization, state="failed",
        body={"calendarId": calendar.pk, "appointmentId": str(harbour[Appointment].pk)},
    )  # fmt: skip
    save(client_of_alice, calendar, new_password=PASSWORD)
    message.refresh_from_db()
    assert message.state == "waiting"
    OutboxMessage.objects.filter(pk=message.pk).update(state="failed")
    press(client_of_alice, calendar, "test")
    message.refresh_from_db()
    assert message.state == "waiting"
    assert "password" not in str(LogEntry.objects.values_list("change_message", flat=True)).replace(
        "Password changed", ""
    )


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_the_server_in_a_transaction(
    client_of_alice: Client, harbour: World, server: RadicaleServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    calendar = connected(harbour, server)
    in_transaction: list[bool] = []

    def found(calendar: ConnectedCalendar) -> str:
        in_transaction.append(connection.in_atomic_block)
        return check_connection(calendar)

    monkeypatch.setattr(connected_calendar, "check_connection", found)
    assert "can be read and written" in press(client_of_alice, calendar, "test")
    # As a button of the form: what was typed is saved first.
    ConnectedCalendar.objects.update(username="former")
    assert "can be read and written" in save(client_of_alice, calendar, _press="test")
    assert ConnectedCalendar.objects.get(pk=calendar.pk).username == USERNAME
    assert in_transaction == [False, False]
    entries = LogEntry.objects.filter(change_message__contains="can be read and written")
    assert entries.count() == 2


def test_a_strangers_calendar_is_not_tested(
    client_of_alice: Client, harbour: World, meadow: World, server: RadicaleServer
) -> None:
    calendar = connected(meadow, server)
    address = f"/admin/voice_sessions/connectedcalendar/{calendar.pk}/"
    assert client_of_alice.post(f"{address}press/test/").status_code in (302, 404)
    assert client_of_alice.get(f"{address}connection/").status_code in (302, 404)
    assert server.requests == []


@pytest.mark.parametrize("address", ["javascript:alert(1)", "ftp://example.com", "https://user:x@example.com", "x"])
def test_an_address_that_is_none_is_refused(client_of_alice: Client, harbour: World, address: str) -> None:
    save(client_of_alice, harbour[ConnectedCalendar], address=address, new_password="x")
    assert ConnectedCalendar.objects.get(pk=harbour[ConnectedCalendar].pk).address != address


# Needs attention


def needs(client: Client) -> str:
    page = client.get("/admin/").content.decode()
    part = page[page.index('id="attention"') :]
    return part[: part.index("</section>")]


@pytest.fixture
def coming(harbour: World) -> Appointment:
    """The appointment of the harbour, tomorrow."""
    start = timezone.now() + dt.timedelta(days=1)
    Appointment.objects.update(state="booked", starts_at=start, ends_at=start + dt.timedelta(hours=1))
    harbour[Appointment].refresh_from_db()
    appointment: Appointment = harbour[Appointment]
    return appointment


def test_a_calendar_that_is_away_is_named(client_of_alice: Client, harbour: World) -> None:
    assert "cannot be read" not in needs(client_of_alice)
    ConnectedCalendar.objects.update(failing_since=timezone.now(), last_error="The server does not respond.")
    part = needs(client_of_alice)
    assert "calendar cannot be read since" in part
    assert "The server does not respond. Busy times are not known." in part


def test_a_calendar_that_no_worker_reads_is_named(client_of_alice: Client) -> None:
    ConnectedCalendar.objects.update(next_read_at=timezone.now() - dt.timedelta(minutes=20))
    assert "No worker is running." in needs(client_of_alice)


def test_entries_that_are_not_understood_are_named(client_of_alice: Client) -> None:
    ConnectedCalendar.objects.update(unreadable_events=2)
    assert "calendar has 2 entries that could not be read" in needs(client_of_alice)


def test_an_appointment_in_a_busy_time_is_named(client_of_alice: Client, harbour: World, coming: Appointment) -> None:
    calendar = harbour[ConnectedCalendar]
    assert "in a busy time" not in needs(client_of_alice)
    busy = BusyTime.objects.create(
        calendar=calendar,
        resource=calendar.resource,
        starts_at=coming.ends_at,
        ends_at=coming.ends_at + dt.timedelta(1),
    )
    assert "in a busy time" not in needs(client_of_alice)
    BusyTime.objects.filter(pk=busy.pk).update(starts_at=coming.ends_at - dt.timedelta(minutes=1))
    assert f"{coming} at " in needs(client_of_alice)
    assert "is in a busy time" in needs(client_of_alice)
    # The person has moved its own entry there: that is another notice.
    BusyTime.objects.update(appointment=coming)
    assert "in a busy time" not in needs(client_of_alice)


@pytest.mark.parametrize("button", ["overwrite", "leave"])
def test_a_persons_change_is_decided_by_the_operator(
    client_of_alice: Client, harbour: World, coming: Appointment, button: str
) -> None:
    entry = harbour[CalendarEntry]
    CalendarEntry.objects.filter(pk=entry.pk).update(
        change=Change.MOVED, changed_to_start=coming.ends_at, noticed_at=timezone.now(), written_version=coming.version
    )
    part = needs(client_of_alice)
    assert "1 appointment changed in a calendar" in part
    found = re.search(r'href="([^"]+)">[^<]*changed in a calendar', part)
    assert found is not None
    assert str(coming) in client_of_alice.get(found[1].replace("&amp;", "&")).content.decode()
    press(client_of_alice, entry, button)
    entry.refresh_from_db()
    assert entry.change == {"overwrite": Change.NONE, "leave": Change.LEFT}[button]
    waiting = OutboxMessage.objects.filter(topic="appointment.calendar", state="waiting").count()
    assert waiting == (button == "overwrite")
    assert "changed in a calendar" not in needs(client_of_alice)
