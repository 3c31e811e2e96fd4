"""What a scenario expects, and how it is compared with what came of a run, line by line.

A line of an order is written as people write it: `3 × large Margherita with extra cheese, thin crust`, with every
chosen modifier. An appointment is its service, and what has to be true of its time: `Oil change on Thursday at 09:00`.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from sessions.tools.dry_run import Booked, Made
from voiceapp.core.kept_texts import kept, stored

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
BOOKING = re.compile(
    rf"^(?P<service>.+?)(?: on (?P<weekday>{'|'.join(WEEKDAYS)}))?"
    r"(?: at (?P<time>\d{1,2}:\d\d))?(?: for (?P<name>.+))?$",
    re.IGNORECASE,
)
QUANTITY = re.compile(r"^(\d{1,4})\s*(?:[×x*]\s*)?(?=\D)", re.IGNORECASE)
# Two lines as alike as this are shown beside each other.
ALIKE = 0.5


@dataclass(frozen=True, slots=True)
class Row:
    """A line that was expected, and what was got in its place; one of the two may be empty."""

    expected: str
    got: str
    is_same: bool

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "got": stored(self.got)}


@dataclass(frozen=True, slots=True)
class Expectation:
    """Without a line of either kind, nothing may be made. `total` None: it is not compared."""

    order: tuple[str, ...] = ()
    total: Decimal | None = None
    appointments: tuple[str, ...] = ()

    def compare(self, made: Made) -> list[Row]:
        rows = _rows(self.order, made.order, same_line)
        booked = {written(each): each for each in made.appointments}
        rows += _rows(self.appointments, tuple(booked), lambda wanted, got: fits(wanted, booked[got]))
        if self.total is not None:
            expected = f"Total {self.total:.2f}"
            got = f"Total {made.total:.2f}" if made.total is not None else ""
            rows.append(Row(expected, got, expected == got))
        return rows or [Row("", "", True)]


def lines_of(text: str) -> tuple[str, ...]:
    """The lines with anything in them."""
    return tuple(line for each in text.splitlines() if (line := " ".join(each.split())))


def same_line(expected: str, got: str) -> bool:
    return _parts(expected) == _parts(got)


def written(booked: Booked) -> str:
    """“Oil change on Thursday at 09:00 for Alice Miller”, with the date."""
    start = booked.starts_at
    name = f" for {booked.customer_name}" if booked.customer_name else ""
    return f"{booked.service} on {WEEKDAYS[start.weekday()]} at {start:%H:%M}{name} ({start:%Y-%m-%d})"


def fits(expected: str, booked: Booked) -> bool:
    """Whether the appointment has the service, and the weekday, time and name that are named."""
    found = BOOKING.match(expected)
    if found is None:
        return False
    start, time = booked.starts_at, found["time"]
    return (
        found["service"].casefold() == booked.service.casefold()
        and (not found["weekday"] or found["weekday"].casefold() == WEEKDAYS[start.weekday()].casefold())
        and (not time or dt.time.fromisoformat(time.zfill(5)) == start.time())
        and (not found["name"] or found["name"].casefold() == booked.customer_name.casefold())
    )


def why_not_a_time(line: str) -> str:
    """The time of the line that is none, like 25:00; empty if it is one."""
    time = (BOOKING.match(line) or {"time": None})["time"]
    try:
        dt.time.fromisoformat((time or "0:00").zfill(5))
    except ValueError:
        return str(time)
    return ""


def made_as_json(made: Made) -> dict[str, object]:
    return {
        "order": list(made.order),
        "total": None if made.total is None else f"{made.total:.2f}",
        "currency": made.currency,
        "appointments": [written(each) for each in made.appointments],
    }


def rows_of_json(rows: Sequence[Mapping[str, Any]]) -> list[Row]:
    return [Row(**{**row, "got": kept(row["got"])}) for row in rows]


def _likeness(expected: str, got: str) -> float:
    """From 0 to 1. A rule may say less than what was got, and then is compared with its beginning."""
    return difflib.SequenceMatcher(None, expected, got[: len(expected) + 5]).ratio()


def _parts(line: str) -> tuple[int, str, tuple[str, ...]]:
    """Quantity, size and item, modifiers in the order of the alphabet; without case."""
    rest = " ".join(line.casefold().split())
    counted = QUANTITY.match(rest)
    item, _with, modifiers = rest[counted.end() if counted else 0 :].strip().partition(" with ")
    chosen = sorted(each.strip() for each in modifiers.split(",") if each.strip())
    return int(counted[1]) if counted else 1, item, tuple(chosen)


def _rows(expected: Sequence[str], got: Sequence[str], is_same: Any) -> list[Row]:
    """Equal lines first find each other; of the others, the most alike stand beside each other."""
    left = list(got)
    found: dict[int, Row] = {}
    for place, wanted in enumerate(expected):
        if (equal := next((each for each in left if is_same(wanted, each)), None)) is not None:
            left.remove(equal)
            found[place] = Row(wanted, equal, True)
    for place, wanted in enumerate(expected):
        if place not in found:
            alike = max(left, key=lambda each: _likeness(wanted, each), default="")
            if alike and _likeness(wanted, alike) >= ALIKE:
                left.remove(alike)
            else:
                alike = ""
            found[place] = Row(wanted, alike, False)
    return [found[place] for place in sorted(found)] + [Row("", each, False) for each in left]
