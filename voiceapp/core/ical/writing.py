"""Appointments as iCalendar (RFC 5545): one event for a CalDAV server, or many as a feed to subscribe to."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from icalendar import Calendar, Component, Event, vText

PRODUCT = "-//voiceapp//appointments//EN"
REFRESH_EVERY = "PT15M"
DIGEST = "x-voiceapp-digest"
# RFC 5545, 3.1: TEXT has no control characters; a line break is escaped.
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """Times are aware; `sequence` rises with every move and cancellation of the same `uid`."""

    uid: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    summary: str
    created_at: dt.datetime
    changed_at: dt.datetime
    sequence: int = 0
    description: str = ""
    is_canceled: bool = False


def write_event(event: CalendarEvent) -> bytes:
    """The object that a CalDAV server stores: one event, and no METHOD (RFC 4791, 4.1).

    It carries a digest of what it says, by which we later know whether a person has changed it.
    """
    calendar, component = _calendar(), _component(event)
    component.add(DIGEST, digest_of(component))
    calendar.add_component(component)
    return bytes(calendar.to_ical())


def digest_of(component: Component) -> str:
    """Of the times and texts that people change. What a calendar program adds for itself does not count."""
    times = [getattr(component.get(name), "dt", None) for name in ("DTSTART", "DTEND")]
    said = [_utc(at).isoformat() if isinstance(at, dt.datetime) and at.tzinfo else str(at) for at in times]
    said += [str(component.get(name, "")) for name in ("SUMMARY", "DESCRIPTION", "STATUS", "TRANSP", "RRULE")]
    return hashlib.sha256("\0".join(said).encode()).hexdigest()[:32]


def write_feed(events: Iterable[CalendarEvent], *, name: str, time_zone: str) -> bytes:
    """The same bytes for the same events, so that a subscriber's `If-None-Match` is answered without them."""
    calendar = _calendar()
    # The two pairs say the same: RFC 7986 and RFC 5545 for some clients, the older X- names for others.
    for label in ("name", "x-wr-calname"):
        calendar.add(label, vText(_plain(name)))
    calendar.add("x-wr-timezone", time_zone)
    calendar.add("refresh-interval", dt.timedelta(minutes=15), parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", REFRESH_EVERY)
    for event in events:
        calendar.add_component(_component(event))
    return bytes(calendar.to_ical())


def _calendar() -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    return calendar


def _component(event: CalendarEvent) -> Event:
    component = Event()
    component.add("uid", event.uid)
    # Without a METHOD, DTSTAMP is the time of the last change (RFC 5545, 3.8.7.2).
    component.add("dtstamp", _utc(event.changed_at))
    component.add("last-modified", _utc(event.changed_at))
    component.add("created", _utc(event.created_at))
    component.add("sequence", event.sequence)
    component.add("dtstart", _utc(event.starts_at))
    component.add("dtend", _utc(event.ends_at))
    component.add("summary", _plain(event.summary))
    component.add("status", "CANCELLED" if event.is_canceled else "CONFIRMED")
    # A canceled appointment blocks no time, also where a client shows it.
    component.add("transp", "TRANSPARENT" if event.is_canceled else "OPAQUE")
    if event.description:
        component.add("description", _plain(event.description))
    return component


def _utc(at: dt.datetime) -> dt.datetime:
    """In UTC, which needs no VTIMEZONE and is read alike by every client."""
    return at.astimezone(dt.UTC).replace(microsecond=0)


def _plain(text: str) -> str:
    return CONTROL.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))
