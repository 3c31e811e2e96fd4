"""Days and times of appointments as the agent says them: always with weekday and date. Pure."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Sequence
from itertools import groupby

from agents.hours.schedule import MONTHS, ONE_DAY, WEEKDAYS, say_time
from sessions.orders.draft.names import either


def say_date(date: dt.date, today: dt.date) -> str:
    """“tomorrow, Friday, December 4”, “Friday, December 4”, “Friday, January 8, 2027”."""
    near = {today: "today, ", today + ONE_DAY: "tomorrow, "}.get(date, "")
    year = f", {date.year}" if date.year != today.year else ""
    return f"{near}{WEEKDAYS[date.weekday()]}, {MONTHS[date.month - 1]} {date.day}{year}"


def say_start(start: dt.datetime, now: dt.datetime, zone: zoneinfo.ZoneInfo) -> str:
    """“Friday, December 4 at 9 am”."""
    local = start.astimezone(zone)
    return f"{say_date(local.date(), now.astimezone(zone).date())} at {say_time(local.time())}"


def say_starts(starts: Sequence[dt.datetime], now: dt.datetime, zone: zoneinfo.ZoneInfo) -> str:
    """“Friday, December 4 at 9 am or noon, or Saturday, December 5 at 9 am”: each day is said once."""
    today = now.astimezone(zone).date()
    local = [start.astimezone(zone) for start in starts]
    days = [
        f"{say_date(date, today)} at {either([say_time(each.time()) for each in times])}"
        for date, times in groupby(local, key=lambda each: each.date())
    ]
    return f"{', '.join(days[:-1])}, or {days[-1]}" if len(days) > 1 else "".join(days)


def written(start: dt.datetime, zone: zoneinfo.ZoneInfo) -> str:
    """“2026-12-04 09:00”: what the model passes on to the next tool."""
    return f"{start.astimezone(zone):%Y-%m-%d %H:%M}"
