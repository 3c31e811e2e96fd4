"""Reads a wish from English words, or from a date and time as a tool has written it.

What is found is replaced by a mark; where words are left that say something else, nothing is understood: “not on
Friday” must not become Friday.
"""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from dataclasses import dataclass

from .days import YEARS, DayReader
from .times import TimeReader
from .wish import Wish
from .words import FILLERS, with_digits

LONGEST_WISH = 120


class NotUnderstood(ValueError):
    """It names no day or time that can be computed; the message is the part that was not understood."""


@dataclass(frozen=True, slots=True)
class _Stamp:
    """A time with an offset, as some models write one."""

    local: dt.datetime


def read_wish(text: str, *, now: dt.datetime, zone: zoneinfo.ZoneInfo, is_month_first: bool = False) -> Wish:
    """The wish in `text`; an empty one suits any time. `is_month_first`: 3/12 is March 12. Raises NotUnderstood."""
    said = " ".join(text.lower().replace(",", " ").split())[:LONGEST_WISH]
    if (stamp := _stamp(said, zone)) is not None:
        return Wish((stamp.local.date(),), (stamp.local.time(),))
    plain = with_digits(re.sub(r"(?<![a-z])([ap])\.? ?m\b\.?", r"\1m", said))
    try:
        days = DayReader(plain, today=now.astimezone(zone).date(), is_month_first=is_month_first).read()
    except ValueError as exc:
        raise NotUnderstood(text.strip()) from exc
    try:
        times = TimeReader(days.rest, part_of_today=days.part).read()
    except ValueError as exc:
        raise NotUnderstood(text.strip()) from exc
    left = [word for word in re.findall(r"[\w']+", times.rest) if word not in FILLERS]
    if left:
        raise NotUnderstood(text.strip())
    return Wish(days.days, times.clocks, times.after, times.before)


def _stamp(said: str, zone: zoneinfo.ZoneInfo) -> _Stamp | None:
    """“2026-12-04T09:00:00Z”: an instant, whatever the zone."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d[t ]\d\d:\d\d(:\d\d(\.\d+)?)?(z|[+-]\d\d:?\d\d)", said):
        return None
    try:
        local = dt.datetime.fromisoformat(said.upper()).astimezone(zone)
    except (ValueError, OverflowError):
        return None
    if local.year not in YEARS:
        return None
    return _Stamp(local.replace(tzinfo=None, second=0, microsecond=0, fold=0))
