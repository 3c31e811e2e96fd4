"""Reads a wish from English or German words, or from a date and time as a tool has written it.

What is found is replaced by a mark; where words are left that say something else, nothing is understood: “not on
Friday” must not become Friday.
"""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo

from .days import WEEKDAY, YEARS, DayReader
from .german import in_english
from .times import TimeReader
from .wish import Wish
from .words import FILLERS, with_digits

LONGEST_WISH = 120
# “in -3 days”, “in two Fridays”: the number would be taken for another one, or for a time.
MISLEADING = re.compile(rf"(?:^|[a-z] )-\d|\b\d{{1,2}} {WEEKDAY}s\b")


class NotUnderstood(ValueError):
    """It names no day or time that can be computed; the message is the part that was not understood."""


def read_wish(text: str, *, now: dt.datetime, zone: zoneinfo.ZoneInfo, is_month_first: bool = False) -> Wish:
    """The wish in `text`; an empty one suits any time. `is_month_first`: 3/12 is March 12. Raises NotUnderstood."""
    said = " ".join(text.lower().replace(",", " ").split())[:LONGEST_WISH]
    if (local := _stamp(said, zone)) is not None:
        return Wish((local.date(),), (local.time(),))
    today = now.astimezone(zone).date()
    try:
        return _read(said, today, is_month_first=is_month_first)
    except ValueError:
        try:
            return _read(in_english(said), today, is_month_first=False)
        except ValueError as exc:
            raise NotUnderstood(text.strip()) from exc


def _read(said: str, today: dt.date, *, is_month_first: bool) -> Wish:
    """Raises ValueError."""
    plain = with_digits(re.sub(r"(?<![a-z])([ap])\.? ?m\b\.?", r"\1m", said))
    if MISLEADING.search(plain):
        raise ValueError("a number that is no time of day")
    days = DayReader(plain, today=today, is_month_first=is_month_first).read()
    times = TimeReader(days.rest, part_of_today=days.part).read()
    if any(word not in FILLERS for word in re.findall(r"[\w']+", times.rest)):
        raise ValueError("words that are left")
    return Wish(days.days, times.clocks, times.after, times.before)


def _stamp(said: str, zone: zoneinfo.ZoneInfo) -> dt.datetime | None:
    """“2026-12-04T09:00:00Z” is an instant, whatever the zone; “2026-12-04 10:00” is not the evening."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d[t ]\d\d:\d\d(:\d\d(\.\d+)?)?(z|[+-]\d\d:?\d\d)?", said):
        return None
    try:
        read = dt.datetime.fromisoformat(said.upper())
        local = read.astimezone(zone) if read.tzinfo else read
    except (ValueError, OverflowError):
        return None
    if local.year not in YEARS:
        return None
    return local.replace(tzinfo=None, second=0, microsecond=0, fold=0)
