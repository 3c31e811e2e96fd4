"""When a service can begin, and with which resources. Pure: no database, no clock.

Time is counted in slots of five minutes since 1970 in UTC, so that no hour is missing or double. A set of slots is an
integer with a bit for each of them: what has to hold for a whole stretch of time costs a few shifts.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from agents.hours.schedule import ONE_DAY, Schedule

SLOT_S = 300
SLOT = dt.timedelta(seconds=SLOT_S)
# No change of clocks moves them by more.
MOST_CLOCK_CHANGE = 3 * 3600 // SLOT_S
Slots = tuple[int, int]  # the first one, and the one after the last


@dataclass(frozen=True, slots=True)
class ServiceTimes:
    """How long a service takes, what it needs, and when it may begin. Lengths are in slots."""

    kinds: tuple[str, ...]
    length: int
    grid_minutes: int
    before: int = 0
    after: int = 0


@dataclass(frozen=True, slots=True)
class ResourceTimes:
    """When a resource works and what occupies it. `schedule` None: while the organization is open."""

    id: int
    kind: str
    schedule: Schedule | None = None
    absences: Sequence[tuple[dt.datetime, dt.datetime]] = ()
    occupied: Sequence[Slots] = ()


@dataclass(frozen=True)
class Availability:
    """The possible starts of a service from `first` to before `end` (slots). Resources in the order of preference."""

    service: ServiceTimes
    schedule: Schedule
    resources: Sequence[ResourceTimes]
    first: int
    end: int
    _schedules: dict[int, int] = field(default_factory=dict, repr=False)

    def starts(self) -> list[dt.datetime]:
        """Every time at which the service can begin, in order."""
        return [time_of(self._base + bit) for bit in _bits(self._starts)]

    def resources_at(self, start: dt.datetime) -> tuple[int, ...] | None:
        """The resources that would do it then, one of each kind; None if it cannot begin then."""
        bit = 1 << max(slot_at(start) - self._base, 0)
        if start.timestamp() % SLOT_S or not self._starts & bit:
            return None
        return tuple(
            next(each.id for each in self._of_kind(kind) if self._by_resource[each.id] & bit)
            for kind in self.service.kinds
        )

    def is_open_for(self, start: dt.datetime) -> bool:
        """Whether the organization is open from then on for the length of the service."""
        bit = slot_at(start) - self._base
        return bit >= 0 and bool(_runs(self._open(self.schedule), self.service.length) >> bit & 1)

    def is_on_grid(self, start: dt.datetime) -> bool:
        return not start.timestamp() % SLOT_S and is_on_grid(slot_at(start), self.schedule.zone, self.service)

    def is_working(self, resource: ResourceTimes, start: dt.datetime) -> bool:
        """Whether it is there for the length of the service, whatever occupies it."""
        bit = slot_at(start) - self._base
        return bit >= 0 and bool(_runs(self._works(resource), self.service.length) >> bit & 1)

    def can_begin(self, resource: ResourceTimes, start: dt.datetime) -> bool:
        """Whether it works and is free then, whatever the others do."""
        bit = slot_at(start) - self._base
        return bit >= 0 and bool(self._starts_of(resource) >> bit & 1)

    # One bit for each slot from `_base` on: what is occupied before the first start counts, too.

    @property
    def _base(self) -> int:
        return self.first - self.service.before

    @property
    def _size(self) -> int:
        return max(self.end - self.first, 0) + self.service.before + self.service.length + self.service.after

    @cached_property
    def _starts(self) -> int:
        found = _mask([(self.first, self.end)], self._base, self._size)
        for kind in self.service.kinds:
            of_kind = 0
            for resource in self._of_kind(kind):
                of_kind |= self._by_resource[resource.id]
            found &= of_kind
        return found & grid_mask(self.schedule.zone, self.service, self._base, self._size) if found else 0

    @cached_property
    def _by_resource(self) -> Mapping[int, int]:
        return {each.id: self._starts_of(each) for each in self.resources if each.kind in self.service.kinds}

    def _starts_of(self, resource: ResourceTimes) -> int:
        """Hours and absences are about the service itself, what is occupied about its buffers, too."""
        service = self.service
        occupied = _mask(resource.occupied, self._base, self._size)
        free = ((1 << self._size) - 1) & ~occupied
        return _runs(self._works(resource), service.length) & (
            _runs(free, service.before + service.length + service.after) << service.before
        )

    def _works(self, resource: ResourceTimes) -> int:
        works = self._open(self.schedule)
        if resource.schedule is not None:
            works &= self._open(resource.schedule)
        return works & ~_mask((outward(*absence) for absence in resource.absences), self._base, self._size)

    def _of_kind(self, kind: str) -> Iterator[ResourceTimes]:
        return (each for each in self.resources if each.kind == kind)

    def _open(self, schedule: Schedule) -> int:
        """Most resources share few schedules: each is computed once."""
        known = self._schedules.get(id(schedule))
        if known is None:
            known = _mask(_open_slots(schedule, self._base, self._base + self._size), self._base, self._size)
            self._schedules[id(schedule)] = known
        return known


def slot_at(at: dt.datetime) -> int:
    """The slot in which that time is."""
    return int(at.timestamp()) // SLOT_S


def slot_from(at: dt.datetime) -> int:
    """The first slot that does not begin before that time."""
    return -int(-at.timestamp() // SLOT_S)


def time_of(slot: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(slot * SLOT_S, dt.UTC)


def outward(start: dt.datetime, end: dt.datetime) -> Slots:
    """Every slot that the time between touches."""
    return slot_at(start), slot_from(end)


def is_on_grid(slot: int, zone: zoneinfo.ZoneInfo, service: ServiceTimes) -> bool:
    """Whether an appointment may begin then: at a time of the grid, and never in an hour that comes twice."""
    local = time_of(slot).astimezone(zone)
    return (local.hour * 60 + local.minute) % service.grid_minutes == 0 and not is_doubled(local)


def is_doubled(local: dt.datetime) -> bool:
    """Whether that local time comes twice, because clocks are put back."""
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


def grid_mask(zone: zoneinfo.ZoneInfo, service: ServiceTimes, base: int, size: int) -> int:
    """The slots on the grid. Only near a change of clocks each one is looked at; elsewhere they repeat."""
    grid, found, per_day = service.grid_minutes * 60 // SLOT_S, 0, 86_400 // SLOT_S
    for first in range(base, base + size, per_day):
        end = min(first + per_day, base + size)
        offset = _offset_s(first - MOST_CLOCK_CHANGE, zone)
        if offset % SLOT_S == 0 and offset == _offset_s(end + MOST_CLOCK_CHANGE, zone):
            start = first + -(first + offset // SLOT_S) % grid
            slots: Iterable[int] = range(start, end, grid)
        else:
            slots = (slot for slot in range(first, end) if is_on_grid(slot, zone, service))
        found |= sum(1 << slot - first for slot in slots) << first - base
    return found


def _offset_s(slot: int, zone: zoneinfo.ZoneInfo) -> int:
    offset = time_of(slot).astimezone(zone).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


def _open_slots(schedule: Schedule, first: int, end: int) -> Iterator[Slots]:
    """The whole slots in which it is open; a span may have begun the day before."""
    date = time_of(first).astimezone(schedule.zone).date() - ONE_DAY
    last = time_of(end).astimezone(schedule.zone).date()
    while date <= last:
        for opens, closes in schedule.spans_of(date):
            yield slot_from(opens), slot_at(closes)
        date += ONE_DAY


def _mask(spans: Iterable[Slots], base: int, size: int) -> int:
    """Written as binary digits, the first slot last: to set a few of them costs less than to shift them all.

    It runs once per appointment of a month: max() and min() would take a third of its time.
    """
    digits, top = bytearray(b"0") * size, base + size
    for first, end in spans:
        low = first if first > base else base
        high = end if end < top else top
        if low < high:
            digits[top - high : top - low] = b"1" * (high - low)
    return int(digits or b"0", 2)


def _runs(mask: int, length: int) -> int:
    """The bits from which on that many are set in a row."""
    have = 1
    while have < length:
        step = min(have, length - have)
        mask &= mask >> step
        have += step
    return mask


def _bits(mask: int) -> Iterator[int]:
    return (place for place, bit in enumerate(reversed(f"{mask:b}")) if bit == "1")
