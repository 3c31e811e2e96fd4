"""Opening hours computed from weekly spans and special days in a time zone. Pure: the time is an argument."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, field

ONE_DAY = dt.timedelta(days=1)
# An opening further away than this is not worth saying on the phone.
LOOK_AHEAD_DAYS = 60


@dataclass(frozen=True, slots=True)
class Span:
    """Local times; one that closes at or before it opens runs past midnight."""

    opens_at: dt.time
    closes_at: dt.time


@dataclass(frozen=True, slots=True)
class Schedule:
    """`weekly` by weekday (0 is Monday); `special` by date, None for a closed day. No weekly spans: always open.

    On the dates of `limits` the weekly spans hold only within that span, and not at all where it is None.
    """

    zone: zoneinfo.ZoneInfo
    weekly: Mapping[int, tuple[Span, ...]] = field(default_factory=dict)
    special: Mapping[dt.date, Span | None] = field(default_factory=dict)
    limits: Mapping[dt.date, Span | None] = field(default_factory=dict)

    @property
    def is_round_the_clock(self) -> bool:
        return not any(self.weekly.values())

    def spans_of(self, date: dt.date) -> list[tuple[dt.datetime, dt.datetime]]:
        """The UTC times between which it is open, for the spans that begin on that local date, in order."""
        if date in self.special:
            special = self.special[date]
            spans: tuple[Span, ...] = () if special is None else (special,)
        elif self.is_round_the_clock:
            spans = (Span(dt.time(0), dt.time(0)),)
        else:
            spans = self.weekly.get(date.weekday(), ())
        return sorted(self._limited(date, [self._times(date, span) for span in spans]))

    def _limited(
        self, date: dt.date, spans: list[tuple[dt.datetime, dt.datetime]]
    ) -> list[tuple[dt.datetime, dt.datetime]]:
        if date not in self.limits:
            return spans
        limit = self.limits[date]
        if limit is None:
            return []
        since, until = self._times(date, limit)
        within = ((max(opens, since), min(closes, until)) for opens, closes in spans)
        return [(opens, closes) for opens, closes in within if opens < closes]

    def _times(self, date: dt.date, span: Span) -> tuple[dt.datetime, dt.datetime]:
        closing_date = date if span.closes_at > span.opens_at else date + ONE_DAY
        opens = dt.datetime.combine(date, span.opens_at, self.zone).astimezone(dt.UTC)
        closes = dt.datetime.combine(closing_date, span.closes_at, self.zone)
        # A time that comes twice or never when clocks change: it closes at the later reading.
        return opens, max(closes.astimezone(dt.UTC), closes.replace(fold=1).astimezone(dt.UTC))

    def is_open_at(self, now: dt.datetime) -> bool:
        return self.closing_after(now) is not None

    def closing_after(self, now: dt.datetime) -> dt.datetime | None:
        """When it closes next if it is open now, adjacent spans taken as one; None while it is closed.

        Open longer than a week at a stretch reads as closing a week from now.
        """
        today = now.astimezone(self.zone).date()
        closing: dt.datetime | None = None
        for days in range(-1, 8):
            for opens, closes in self.spans_of(today + days * ONE_DAY):
                if opens <= (closing or now) < closes:
                    closing = closes
        return closing

    def next_opening(self, now: dt.datetime) -> dt.datetime | None:
        """The first opening after now, None if there is none in two months."""
        today = now.astimezone(self.zone).date()
        for days in range(LOOK_AHEAD_DAYS):
            for opens, _ in self.spans_of(today + days * ONE_DAY):
                if opens > now:
                    return opens
        return None


def hours_sentence(schedule: Schedule, now: dt.datetime) -> str:
    """“We are open today until 10 pm.” or “We are closed now and open again tomorrow at 11 am.”"""
    closing = schedule.closing_after(now)
    if closing is None:
        opening = schedule.next_opening(now)
        if opening is None:
            return "We are closed until further notice."
        return f"We are closed now and open again {say_date_and_time(opening, now, schedule.zone)}."
    if closing - now > 6 * ONE_DAY:
        return "We are open around the clock."
    local_closing, today = closing.astimezone(schedule.zone), now.astimezone(schedule.zone).date()
    if local_closing.date() == today:
        return f"We are open today until {say_time(local_closing.time())}."
    if local_closing.date() == today + ONE_DAY and local_closing.hour < 6:
        return f"We are open tonight until {say_time(local_closing.time())}."
    return f"We are open until {say_date_and_time(closing, now, schedule.zone).removeprefix('on ')}."


def week_sentence(schedule: Schedule) -> str:
    """The ordinary week, for the briefing: “Monday 11 am to 10 pm; Tuesday closed; …”."""
    if schedule.is_round_the_clock:
        return "Every day around the clock."
    days = []
    for weekday, name in enumerate(WEEKDAYS):
        spans = sorted(schedule.weekly.get(weekday, ()), key=lambda span: span.opens_at)
        said = " and ".join(f"{say_time(span.opens_at)} to {say_time(span.closes_at)}" for span in spans)
        days.append(f"{name} {said or 'closed'}")
    return "; ".join(days) + "."


def say_date_and_time(time: dt.datetime, now: dt.datetime, zone: zoneinfo.ZoneInfo) -> str:
    """“today at 5 pm”, “tomorrow at 11 am”, “on Monday at 11 am”, “on Monday, March 3 at 11 am”."""
    local, today = time.astimezone(zone), now.astimezone(zone).date()
    days = (local.date() - today).days
    at = f"at {say_time(local.time())}"
    if days == 0:
        return f"today {at}"
    if days == 1:
        return f"tomorrow {at}"
    if days < 7:
        return f"on {WEEKDAYS[local.weekday()]} {at}"
    return f"on {WEEKDAYS[local.weekday()]}, {MONTHS[local.month - 1]} {local.day} {at}"


def say_time(time: dt.time) -> str:
    """“10 pm”, “10:30 am”, “noon”, “midnight”."""
    if time.minute == 0 and time.hour in (0, 12):
        return "noon" if time.hour else "midnight"
    minutes = f":{time.minute:02}" if time.minute else ""
    return f"{time.hour % 12 or 12}{minutes} {'am' if time.hour < 12 else 'pm'}"


# Spelled out: strftime would speak the server's locale.
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
