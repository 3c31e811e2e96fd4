"""Our client against a real server: finding calendars, reading busy times, writing and removing events."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from voiceapp.core.ical.writing import CalendarEvent, write_event
from voiceapp.providers.caldav.client import CalDavCalendar
from voiceapp.providers.caldav.errors import CalendarError, Trouble
from voiceapp.providers.caldav.transport import Credentials

from .radicale_server import PASSWORD, USERNAME, RadicaleServer

UTC = dt.UTC
BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = dt.datetime(2026, 7, 6, tzinfo=UTC)


def connect(url: str, *, password: str = PASSWORD) -> CalDavCalendar:
    return CalDavCalendar(url, Credentials(USERNAME, password), may_be_local=True, version="1.2.3")


def busy(server: RadicaleServer) -> list[str]:
    read = connect(server.calendar_url).read_busy(zone=BERLIN, begins_at=MONDAY, ends_at=MONDAY + dt.timedelta(days=7))
    assert read.unreadable == 0
    return sorted(f"{each.uid} {each.starts_at:%a %H:%M}-{each.ends_at:%H:%M}" for each in read.busy)


def event(*, hour: int = 9, summary: str = "Oil change") -> bytes:
    starts_at = MONDAY + dt.timedelta(hours=hour)
    return write_event(
        CalendarEvent("a1", starts_at, starts_at + dt.timedelta(hours=1), summary, created_at=MONDAY, changed_at=MONDAY)
    )


# Finding


@pytest.mark.parametrize("path", ["/", "/garage/", "/garage", "/garage/lift-1/", "/garage/lift-1"])
def test_the_calendar_is_found_from_the_server_the_user_and_itself(server: RadicaleServer, path: str) -> None:
    (found,) = connect(server.base_url + path).find()
    assert (found.url, found.name) == (server.calendar_url, "Lift 1")


def test_a_task_list_is_no_calendar_for_appointments(server: RadicaleServer) -> None:
    server.make_calendar(f"{server.base_url}/garage/tasks/", components=["VTODO"])
    assert [found.name for found in connect(server.base_url).find()] == ["Lift 1"]


def test_all_calendars_of_the_user_are_found(server: RadicaleServer) -> None:
    server.make_calendar(f"{server.base_url}/garage/lift 2/")
    urls = [found.url for found in connect(server.base_url).find()]
    assert set(urls) == {server.calendar_url, f"{server.base_url}/garage/lift%202/"}


def test_a_server_that_wants_digest_gets_it(server: RadicaleServer) -> None:
    server.wants_digest = True
    (found,) = connect(server.base_url).find()
    assert connect(found.url).write("a1", event()) != ""
    with pytest.raises(CalendarError) as caught:
        connect(server.base_url, password="wrong").find()
    assert caught.value.trouble is Trouble.UNAUTHORIZED


# Busy times


def test_busy_times_of_every_kind_are_read(server: RadicaleServer) -> None:
    server.put("once", "DTSTART:20260706T090000Z", "DTEND:20260706T100000Z")
    server.put("weekly", "DTSTART;TZID=Europe/Berlin:20260106T080000", "DURATION:PT30M", "RRULE:FREQ=WEEKLY")
    server.put("day", "DTSTART;VALUE=DATE:20260708", "DTEND;VALUE=DATE:20260709")
    server.put("free", "DTSTART:20260709T090000Z", "DURATION:PT1H", "TRANSP:TRANSPARENT")
    server.put("off", "DTSTART:20260709T090000Z", "DURATION:PT1H", "STATUS:CANCELLED")
    server.put("later", "DTSTART:20260809T090000Z", "DURATION:PT1H")
    assert busy(server) == ["day Tue 22:00-22:00", "once Mon 09:00-10:00", "weekly Tue 06:00-06:30"]


def test_an_event_that_is_not_understood_is_counted(server: RadicaleServer) -> None:
    server.put("hourly", "DTSTART:20260706T090000Z", "DURATION:PT10M", "RRULE:FREQ=HOURLY;COUNT=9")
    server.put("once", "DTSTART:20260706T090000Z", "DTEND:20260706T100000Z")
    read = connect(server.calendar_url).read_busy(zone=BERLIN, begins_at=MONDAY, ends_at=MONDAY + dt.timedelta(days=7))
    assert ([each.uid for each in read.busy], read.unreadable) == (["once"], 1)


# Our events


def test_an_event_is_written_moved_and_removed(server: RadicaleServer) -> None:
    calendar = connect(server.calendar_url)
    etag = calendar.write("a1", event())
    assert busy(server) == ["a1 Mon 09:00-10:00"]
    etag = calendar.write("a1", event(hour=14), etag=etag)
    assert busy(server) == ["a1 Mon 14:00-15:00"]
    calendar.remove("a1", etag=etag)
    assert busy(server) == []
    calendar.remove("a1", etag=etag)


def test_what_somebody_changed_is_not_overwritten(server: RadicaleServer) -> None:
    calendar = connect(server.calendar_url)
    etag = calendar.write("a1", event())
    server.send("PUT", f"{server.calendar_url}a1.ics", event(hour=11).decode(), **{"Content-Type": "text/calendar"})
    for change in (lambda: calendar.write("a1", event(hour=15), etag=etag), lambda: calendar.remove("a1", etag=etag)):
        with pytest.raises(CalendarError) as caught:
            change()
        assert caught.value.trouble is Trouble.CHANGED
    assert busy(server) == ["a1 Mon 11:00-12:00"]


def test_an_event_is_not_written_over_one_that_is_there(server: RadicaleServer) -> None:
    calendar = connect(server.calendar_url)
    calendar.write("a1", event())
    with pytest.raises(CalendarError) as caught:
        calendar.write("a1", event())
    assert caught.value.trouble is Trouble.CHANGED


def test_an_event_is_read_with_its_version(server: RadicaleServer) -> None:
    calendar = connect(server.calendar_url)
    assert calendar.read("a1") is None
    etag = calendar.write("a1", event(summary="Öl"))
    stored = calendar.read("a1")
    assert stored is not None
    assert (stored.etag, "SUMMARY:Öl" in stored.text.decode()) == (etag, True)
