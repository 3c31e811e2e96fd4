"""The time of day in a wish: a clock time with its readings, a range, or a part of the day."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from .words import NAMED_TIMES, PARTS

MARK = "#"
# Bare hours up to this are said of the afternoon where only one reading can be meant: “between 2 and 4”.
LAST_AFTERNOON_HOUR = 6
TO = r"(?:to|and|until|till|-|–)"


@dataclass(frozen=True, slots=True)
class Times:
    """`rest` is the text without them."""

    clocks: tuple[dt.time, ...]
    after: dt.time
    before: dt.time
    rest: str


@dataclass(frozen=True, slots=True)
class Clock:
    """A time as it was said; `is_sure`: with am or pm, or written with 24 hours."""

    time: dt.time
    is_sure: bool

    @property
    def readings(self) -> tuple[dt.time, ...]:
        if self.is_sure or not 1 <= self.time.hour < 12:
            return (self.time,)
        return (self.time, self.time.replace(hour=self.time.hour + 12))

    @property
    def likely(self) -> dt.time:
        """The one reading that a limit has."""
        is_afternoon = not self.is_sure and 1 <= self.time.hour <= LAST_AFTERNOON_HOUR
        return self.time.replace(hour=self.time.hour + 12) if is_afternoon else self.time


@dataclass
class TimeReader:
    """Replaces each time by a mark, then reads the words around the marks. Raises ValueError for “25:00”."""

    text: str
    part_of_today: str = ""
    found: list[Clock] = field(default_factory=list)

    def read(self) -> Times:
        text = " ".join(self.text.replace(MARK, " ").split())
        for pattern, method in PATTERNS:
            text = pattern.sub(partial(self._marked, method), text)
        text = " ".join(text.split())
        parts = [self.part_of_today] if self.part_of_today else []
        parts += re.findall(rf"\b({'|'.join(PARTS)})\b", text)
        text = re.sub(rf"\b(?:{'|'.join(PARTS)})s?\b", " ", text)
        after, before = dt.time.min, dt.time.max
        if parts:
            after, before = min(PARTS[part][0] for part in parts), max(PARTS[part][1] for part in parts)
        limits, text = self._limits(text)
        used = set(re.findall(rf"{MARK}(\d+)", text))
        clocks = [time for number in sorted(used) for time in self.found[int(number)].readings]
        if parts:
            # “3 in the afternoon”; where it contradicts (“11 in the afternoon”), the time holds.
            clocks = [time for time in clocks if after <= time < before] or clocks
        return Times(
            clocks=tuple(dict.fromkeys(clocks)),
            after=max(after, limits[0]) if limits else after,
            before=min(before, limits[1]) if limits else before,
            rest=re.sub(rf"{MARK}\d+", " ", text),
        )

    def _marked(self, method: Callable[[re.Match[str]], Clock], match: re.Match[str]) -> str:
        self.found.append(method(match))
        return f" {MARK}{len(self.found) - 1} "

    def _limits(self, text: str) -> tuple[tuple[dt.time, dt.time] | None, str]:
        """From and to before, of “between 9 and 11”, “after 3” or “before 10”."""
        if match := re.search(rf"(?:between|from)? ?{MARK}(\d+) {TO} {MARK}(\d+)", text):
            first, last = self.found[int(match[1])].likely, self.found[int(match[2])].likely
            if last <= first and last.hour < 12:
                last = last.replace(hour=last.hour + 12)
            if last <= first:
                raise ValueError("no such range")
            return (first, last), text.replace(match[0], " ")
        after, before = dt.time.min, dt.time.max
        is_limited = False
        for match in LIMIT.finditer(text):
            is_limited = True
            if match["from"]:
                after = self.found[int(match[2])].likely
            else:
                before = self.found[int(match[4])].likely
            text = text.replace(match[0], " ", 1)
        return ((after, before) if is_limited else None), text


def _clock(match: re.Match[str]) -> Clock:
    hour, minute = match["hour"], int(match["colon"] or match["spaced"] or 0)
    return _of(hour, minute, match["half"])


def _past(match: re.Match[str]) -> Clock:
    """“half past 9”, “quarter to 10”, “20 past 9”."""
    amount = {"half": 30, "quarter": 15}.get(match[1]) or int(match[1].split()[0])
    if not 0 < amount < 60:
        raise ValueError("no such time")
    clock = _of(match[3], 0, match[4])
    minutes = clock.time.hour * 60 + (amount if match[2] == "past" else -amount)
    if minutes < 0:
        raise ValueError("no such time")
    return Clock(dt.time(minutes // 60, minutes % 60), clock.is_sure)


def _of(hour: str, minute: int, half: str | None) -> Clock:
    number = int(hour)
    if half:
        if not 1 <= number <= 12:
            raise ValueError("no such time")
        return Clock(dt.time(number % 12 + (12 if half == "pm" else 0), minute), is_sure=True)
    return Clock(dt.time(number, minute), is_sure=len(hour) == 2 and hour[0] == "0")


def _named(match: re.Match[str]) -> Clock:
    return Clock(NAMED_TIMES[match[1]], is_sure=True)


LIMIT = re.compile(
    rf"\b(?P<from>after|from|not before|starting|later than|past) (?:at )?{MARK}(\d+)(?: on(?:wards?)?\b)?"
    rf"|\b(?P<to>before|by|until|till|earlier than|no later than) {MARK}(\d+)"
)
PATTERNS = tuple(
    (re.compile(pattern), method)
    for pattern, method in (
        (rf"\b(?:at )?({'|'.join(NAMED_TIMES)})\b", _named),
        # “10 to 12” is a range.
        (r"\b(?:an? )?(half|quarter|\d{1,2}) (?:minutes? )?(past) (\d{1,2})(?: ?(am|pm))?\b(?!:)", _past),
        (r"\b(?:an? )?(quarter|\d{1,2} minutes?) (to) (\d{1,2})(?: ?(am|pm))?\b(?!:)", _past),
        (
            rf"(?<![{MARK}\d:.])\b(?P<hour>\d{{1,2}})(?:[:.h](?P<colon>\d\d)(?::00)?| (?P<spaced>[0-5]\d)(?! ?[:.\d]))?"
            r"(?: ?(?P<half>am|pm)\b)?(?! ?%)(?: ?(?:h|hours|uhr)\b)?(?: o'?clock)?",
            _clock,
        ),
    )
)
