"""When somebody is busy, read from iCalendar objects that a stranger's server sends: recurring, all-day, in any zone.

Recurrences are calculated by recurring-ical-events. What would take it long is refused before: a rule that repeats by
the second, one that never comes true, thousands of dates; in an event, or in the time zone that it brings along.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass

import icalendar
import recurring_ical_events
from icalendar import Calendar, Component
from icalendar.timezone import tzp

from .writing import DIGEST, digest_of

MAX_EVENTS = 500
MAX_DATES = 2000
EARLIEST_YEAR, LATEST_YEAR = 1900, 2200
# Outlook's time zones begin in 1601.
EARLIEST_ZONE_YEAR = 1600
MAX_ZONE_CHANGES = 200
# A day's rule, a week's rule: every other part could make them match never, and looking for "never" takes seconds.
HARMLESS_PARTS = {
    "DAILY": {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYMONTH"},
    "WEEKLY": {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYMONTH"},
}
RARE_FREQUENCIES = {"MONTHLY", "YEARLY"}
TIMES_OF_DAY = {"BYHOUR", "BYMINUTE", "BYSECOND"}
# Zones are up to 14 hours from UTC: occurrences without a zone are looked for this much around.
MARGIN = dt.timedelta(days=2)
_one_at_a_time = threading.Lock()


class Unreadable(Exception):
    """Not iCalendar, or more than we calculate; the message says which, without the text itself."""


@dataclass(frozen=True, slots=True)
class Busy:
    """Somebody's time from `starts_at` until `ends_at`, both in UTC."""

    uid: str
    starts_at: dt.datetime
    ends_at: dt.datetime

    @property
    def times(self) -> tuple[dt.datetime, dt.datetime]:
        return self.starts_at, self.ends_at


@dataclass(frozen=True, slots=True)
class ReadEvent:
    """What a calendar holds of one of our own events."""

    uid: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    summary: str
    # Its times and texts are those that we wrote.
    is_untouched: bool


def read_busy(text: bytes, *, zone: zoneinfo.ZoneInfo, begins_at: dt.datetime, ends_at: dt.datetime) -> list[Busy]:
    """The busy times of one calendar object that overlap the range. `zone` is that of all-day and floating times.

    Canceled and transparent events take no time. Raises Unreadable.
    """
    first, last = (begins_at - MARGIN).astimezone(dt.UTC), (ends_at + MARGIN).astimezone(dt.UTC)
    with _own_zones(), _as_unreadable():
        calendar = _parse(text)
        _refuse_what_takes_long(calendar)
        found = recurring_ical_events.of(calendar, components=["VEVENT"]).between(first, last)
        spans = [busy for event in found if (busy := _busy(event, zone)) is not None]
    return [busy for busy in spans if busy.starts_at < ends_at and busy.ends_at > begins_at]


def read_event(text: bytes, *, zone: zoneinfo.ZoneInfo) -> ReadEvent:
    """The single event of an object that we wrote and that somebody may have changed. Raises Unreadable."""
    with _own_zones(), _as_unreadable():
        events = _parse(text).walk("VEVENT")
        if not events:
            raise Unreadable("no event")
        first = events[0]
        starts_at, ends_at = _times(first, zone)
        return ReadEvent(
            uid=str(first.get("UID", "")),
            starts_at=starts_at,
            ends_at=ends_at,
            summary=str(first.get("SUMMARY", "")),
            is_untouched=len(events) == 1 and str(first.get(DIGEST, "")) == digest_of(first),
        )


@contextlib.contextmanager
def _own_zones() -> Iterator[None]:
    """icalendar keeps the zones that objects bring along, by name, for the whole process: those of one stranger would
    stand for those of the next one.
    """
    with _one_at_a_time:
        tzp.use_default()
        try:
            yield
        finally:
            tzp.use_default()


@contextlib.contextmanager
def _as_unreadable() -> Iterator[None]:
    """What the two libraries raise for text that is no calendar: much of it is read only when it is used."""
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as exc:
        raise Unreadable(f"not a valid event ({type(exc).__name__})") from exc


def _parse(text: bytes) -> Calendar:
    read = Calendar.from_ical(text)
    if not isinstance(read, Calendar):
        raise Unreadable("not a calendar")
    _refuse_slow_zones(read)
    return read


def _refuse_slow_zones(calendar: Calendar) -> None:
    """A zone is calculated as soon as one of its times is compared: its changes of clocks come once a year."""
    changes = [each for kind in ("STANDARD", "DAYLIGHT") for each in calendar.walk(kind)]
    is_long = sum(1 for change in changes for _ in _dates(change, "RDATE")) > MAX_DATES
    if is_long or len(changes) > MAX_ZONE_CHANGES:
        raise Unreadable("a time zone with too many changes")
    for change in changes:
        start, rules = _value(change, "DTSTART"), _listed(change.get("RRULE"))
        if not isinstance(start, dt.date) or start.year < EARLIEST_ZONE_YEAR:
            raise Unreadable("a time zone without a start that we read")
        if len(rules) > 1 or not all(_is_harmless(rule) and _frequency(rule) == "YEARLY" for rule in rules):
            raise Unreadable("a time zone that we do not calculate")


def _refuse_what_takes_long(calendar: Calendar) -> None:
    events = calendar.walk("VEVENT")
    if len(events) > MAX_EVENTS:
        raise Unreadable("too many exceptions of one event")
    for event in events:
        start = _value(event, "DTSTART")
        if not isinstance(start, dt.date):
            raise Unreadable("an event without a start")
        if not EARLIEST_YEAR <= start.year <= LATEST_YEAR:
            raise Unreadable("an event outside the years that we read")
        if sum(1 for name in ("RDATE", "EXDATE") for _ in _dates(event, name)) > MAX_DATES:
            raise Unreadable("too many dates in one event")
        rules = _listed(event.get("RRULE"))
        if len(rules) > 1 or not all(_is_harmless(rule) for rule in rules):
            raise Unreadable("a repetition that we do not calculate")


def _is_harmless(rule: object) -> bool:
    if not isinstance(rule, icalendar.vRecur):
        return False
    frequency = _frequency(rule)
    parts = {str(name).upper() for name in rule}
    if any(int(str(each)) < 1 for each in _listed(rule.get("INTERVAL"))):
        return False
    if frequency in RARE_FREQUENCIES:
        return all(len(_listed(rule.get(part))) <= 1 for part in TIMES_OF_DAY)
    return parts <= HARMLESS_PARTS.get(frequency, set())


def _frequency(rule: object) -> str:
    found = rule.get("FREQ") if isinstance(rule, icalendar.vRecur) else None
    return str(next(iter(_listed(found)), "")).upper()


def _dates(event: Component, name: str) -> Iterator[object]:
    for each in _listed(event.get(name)):
        yield from getattr(each, "dts", [each])


def _listed(value: object) -> list[object]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def _busy(event: Component, zone: zoneinfo.ZoneInfo) -> Busy | None:
    if _text(event, "STATUS") == "CANCELLED" or _text(event, "TRANSP") == "TRANSPARENT":
        return None
    starts_at, ends_at = _times(event, zone)
    return Busy(str(event.get("UID", "")), starts_at, ends_at) if ends_at > starts_at else None


def _times(event: Component, zone: zoneinfo.ZoneInfo) -> tuple[dt.datetime, dt.datetime]:
    """In UTC. Without an end: a date takes the whole day, a time takes none (RFC 5545, 3.6.1)."""
    start, end, length = (_value(event, name) for name in ("DTSTART", "DTEND", "DURATION"))
    if not isinstance(start, dt.date):
        raise Unreadable("an event without a start")
    if isinstance(end, dt.date):
        return _in_utc(start, zone), _in_utc(end, zone)
    if not isinstance(length, dt.timedelta):
        length = dt.timedelta() if isinstance(start, dt.datetime) else dt.timedelta(days=1)
    return _in_utc(start, zone), _in_utc(start + length, zone)


def _value(event: Component, name: str) -> object:
    return getattr(event.get(name), "dt", None)


def _in_utc(at: dt.date, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """A date begins at midnight of the zone; a time without a zone is the zone's (a floating time)."""
    if not isinstance(at, dt.datetime):
        at = dt.datetime.combine(at, dt.time.min)
    return (at if at.tzinfo is not None else at.replace(tzinfo=zone)).astimezone(dt.UTC)


def _text(event: Component, name: str) -> str:
    return str(event.get(name, "")).strip().upper()
