"""What we write is RFC 5545: lines, escapes, times, and the same bytes for the same events."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from voiceapp.core.ical.reading import read_event
from voiceapp.core.ical.writing import CalendarEvent, write_event, write_feed

BERLIN = ZoneInfo("Europe/Berlin")
AT = dt.datetime(2026, 10, 25, 1, 30, tzinfo=dt.UTC)
EVENT = CalendarEvent(
    uid="7f0f@garage",
    starts_at=AT.astimezone(BERLIN),
    ends_at=AT + dt.timedelta(hours=1),
    summary="Oil change",
    created_at=AT - dt.timedelta(days=3),
    changed_at=AT - dt.timedelta(days=2, microseconds=7),
    sequence=2,
)


def lines(text: bytes) -> list[str]:
    assert text.endswith(b"\r\n")
    return text.decode().replace("\r\n ", "").split("\r\n")


def test_an_event_has_what_the_standard_requires() -> None:
    found = lines(write_event(EVENT))
    assert found[:3] == ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//voiceapp//appointments//EN"]
    for line in (
        "UID:7f0f@garage",
        "DTSTART:20261025T013000Z",
        "DTEND:20261025T023000Z",
        "SEQUENCE:2",
        "DTSTAMP:20261023T012959Z",
        "CREATED:20261022T013000Z",
        "STATUS:CONFIRMED",
        "TRANSP:OPAQUE",
    ):
        assert line in found
    assert "METHOD" not in write_event(EVENT).decode()


def test_a_canceled_event_says_so_and_takes_no_time() -> None:
    found = lines(write_event(replace(EVENT, is_canceled=True)))
    assert "STATUS:CANCELLED" in found
    assert "TRANSP:TRANSPARENT" in found


def test_text_is_escaped_and_folded_at_75_bytes() -> None:
    summary = "Ölwechsel; Räder, Bremsen \\ " + "🚗" * 40
    text = write_event(replace(EVENT, summary=summary, description="first\r\nsecond"))
    assert all(len(line) <= 75 for line in text.split(b"\r\n"))
    assert "DESCRIPTION:first\\nsecond" in lines(text)
    assert read_event(text, zone=BERLIN).summary == summary


def test_what_we_wrote_is_known_whatever_a_program_adds() -> None:
    text = write_event(replace(EVENT, description="Vehicle: Golf"))
    stored = text.replace(b"END:VEVENT", b"X-APPLE-SORT:1\r\nLOCATION:Yard\r\nEND:VEVENT").replace(b"\r\n", b"\n")
    assert read_event(stored, zone=BERLIN).is_untouched


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"T013000Z", b"T014500Z"), (b"Oil", b"Brake"), (b"CONFIRMED", b"CANCELLED"), (b"OPAQUE", b"TRANSPARENT"),
     (b"UID", b"RRULE:FREQ=DAILY\r\nUID")],
)  # fmt: skip
def test_what_a_person_changed_is_noticed(old: bytes, new: bytes) -> None:
    assert not read_event(write_event(EVENT).replace(old, new), zone=BERLIN).is_untouched


def test_a_feed_names_itself_and_its_zone() -> None:
    found = lines(write_feed([EVENT], name="Miller’s Garage, lift 1", time_zone="Europe/Berlin"))
    assert "X-WR-CALNAME:Miller’s Garage\\, lift 1" in found
    assert "X-WR-TIMEZONE:Europe/Berlin" in found
    assert "REFRESH-INTERVAL;VALUE=DURATION:PT15M" in found
    assert "X-PUBLISHED-TTL:PT15M" in found


def test_the_same_events_are_the_same_bytes() -> None:
    assert write_feed([EVENT], name="Garage", time_zone="UTC") == write_feed([EVENT], name="Garage", time_zone="UTC")


def test_an_empty_feed_is_a_calendar() -> None:
    assert Calendar.from_ical(write_feed([], name="Garage", time_zone="UTC")).walk("VEVENT") == []


@given(st.text(), st.text())
def test_no_text_breaks_out_of_its_line(summary: str, description: str) -> None:
    text = write_event(replace(EVENT, summary=summary, description=description))
    assert [line for line in lines(text) if line.startswith(("BEGIN:", "END:"))] == [
        "BEGIN:VCALENDAR",
        "BEGIN:VEVENT",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
