"""Which of the possible times are offered for a wish, and why a time is not possible. Pure."""

from __future__ import annotations

import datetime as dt
import enum
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from .availability import Availability
from .wishes import Wish

MOST_OFFERS = 3
APART = dt.timedelta(hours=1)


class Obstacle(enum.Enum):
    """Why an appointment cannot begin at a time."""

    PAST = enum.auto()
    TOO_SOON = enum.auto()
    TOO_FAR = enum.auto()
    HOLIDAY = enum.auto()
    CLOSED = enum.auto()
    OFF_GRID = enum.auto()
    TAKEN = enum.auto()


@dataclass(frozen=True, slots=True)
class Period:
    """When appointments may begin at all: from the lead time to the last bookable day."""

    now: dt.datetime
    earliest: dt.datetime
    latest: dt.datetime


@dataclass(frozen=True, slots=True)
class Proposal:
    """At most three times; `suits`: they are as wished, otherwise the nearest ones."""

    starts: tuple[dt.datetime, ...]
    suits: bool


def propose(wish: Wish, starts: Sequence[dt.datetime], *, now: dt.datetime, zone: zoneinfo.ZoneInfo) -> Proposal:
    """The times to offer, of all possible ones in order."""
    suiting = [start for start in starts if wish.suits(start.astimezone(zone))]
    if suiting:
        return Proposal(_spread(suiting, zone), suits=True)
    center = wish.center(now.astimezone(zone).date(), zone)
    return Proposal(_nearest(starts, center), suits=False)


def obstacle(
    start: dt.datetime, availability: Availability, period: Period, zone: zoneinfo.ZoneInfo
) -> Obstacle | None:
    """Why it cannot begin then; None if it can."""
    if start <= period.now:
        return Obstacle.PAST
    if start < period.earliest:
        return Obstacle.TOO_SOON
    if start > period.latest:
        return Obstacle.TOO_FAR
    if availability.resources_at(start) is not None:
        return None
    if not availability.is_open_for(start):
        date = start.astimezone(zone).date()
        return Obstacle.HOLIDAY if availability.schedule.special.get(date, date) is None else Obstacle.CLOSED
    return Obstacle.TAKEN if availability.is_on_grid(start) else Obstacle.OFF_GRID


def _spread(starts: Sequence[dt.datetime], zone: zoneinfo.ZoneInfo) -> tuple[dt.datetime, ...]:
    """Of one day the first, the middle and the last one; of several days the first one of each."""
    by_day = [list(times) for _, times in groupby(starts, key=lambda start: start.astimezone(zone).date())]
    if len(by_day) > 1:
        return tuple(times[0] for times in by_day[:MOST_OFFERS])
    only = by_day[0]
    return tuple(dict.fromkeys((only[0], only[len(only) // 2], only[-1])))


def _nearest(starts: Sequence[dt.datetime], center: dt.datetime) -> tuple[dt.datetime, ...]:
    """An hour apart, so that they are a choice."""
    chosen: list[dt.datetime] = []
    for start in sorted(starts, key=lambda start: (abs(start - center), start)):
        if all(abs(start - other) >= APART for other in chosen):
            chosen.append(start)
            if len(chosen) == MOST_OFFERS:
                break
    return tuple(sorted(chosen))
