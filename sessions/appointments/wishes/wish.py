"""A wish: the days that suit, and the times of a day. Local to the organization, until `instants` converts it."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import dataclass

END_OF_DAY = dt.time.max


class SkippedTime(ValueError):
    """Clocks are put forward: that local time does not exist."""


class DoubledTime(ValueError):
    """Clocks are put back: that local time comes twice."""


@dataclass(frozen=True, slots=True)
class Wish:
    """No days: any day suits. `clocks` are the readings of one time, like 3:00 and 15:00 of “three”; none: any time
    from `after` to before `before` suits.
    """

    days: tuple[dt.date, ...] = ()
    clocks: tuple[dt.time, ...] = ()
    after: dt.time = dt.time.min
    before: dt.time = END_OF_DAY

    @property
    def is_exact(self) -> bool:
        """Whether it names one day and one time."""
        return len(self.days) == 1 and bool(self.clocks)

    def suits(self, local: dt.datetime) -> bool:
        if self.days and local.date() not in self.days:
            return False
        if self.clocks:
            return local.time() in self.clocks
        return self.after <= local.time() < self.before

    def instants(self, zone: zoneinfo.ZoneInfo) -> list[dt.datetime]:
        """The UTC times of an exact wish; raises SkippedTime or DoubledTime if none of its readings is one time."""
        found: list[dt.datetime] = []
        problem: ValueError | None = None
        for clock in self.clocks:
            try:
                found.append(instant(dt.datetime.combine(self.days[0], clock), zone))
            except (SkippedTime, DoubledTime) as exc:
                problem = problem or exc
        if problem is not None and not found:
            raise problem
        return found

    def center(self, today: dt.date, zone: zoneinfo.ZoneInfo) -> dt.datetime:
        """A time in its middle: what is free nearest to it is offered when nothing suits."""
        day = self.days[len(self.days) // 2] if self.days else today
        clock = self.clocks[0] if self.clocks else _middle(self.after, self.before)
        return dt.datetime.combine(day, clock, zone).astimezone(dt.UTC)

    def bounds(self, today: dt.date, zone: zoneinfo.ZoneInfo) -> tuple[dt.datetime, dt.datetime]:
        """Noon of its first and of its last day."""
        days = self.days or (today,)
        first, last = (dt.datetime.combine(day, dt.time(12), zone) for day in (days[0], days[-1]))
        return first.astimezone(dt.UTC), last.astimezone(dt.UTC)


def instant(local: dt.datetime, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """The UTC time of a naive local time; raises SkippedTime or DoubledTime."""
    first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(dt.UTC) for fold in (0, 1))
    if first.astimezone(zone).replace(tzinfo=None, fold=0) != local:
        raise SkippedTime
    if first != second:
        raise DoubledTime
    return first


def _middle(after: dt.time, before: dt.time) -> dt.time:
    minutes = (after.hour * 60 + after.minute + before.hour * 60 + before.minute) // 2
    # Without a part of the day: noon.
    return dt.time(minutes // 60, minutes % 60)
