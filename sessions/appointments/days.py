"""One day of appointments by resource: what the day plan shows. A fixed number of queries, however many there are.

Places in the day are minutes since its local midnight, in real time: a day has 23 or 25 hours when clocks change.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from django.db.models import Q

from agents.hours.queries import load_schedule
from agents.hours.schedule import ONE_DAY, Schedule
from agents.organizations.models import Organization
from agents.resources.models import Absence, Resource
from sessions.appointments.calendars.queries import busy_times

from .availability import is_doubled
from .models import Appointment, AppointmentState
from .queries import own_schedule

MINUTE = dt.timedelta(minutes=1)
MOST_SHOWN = 1000
# Nothing is booked that takes longer.
LONGEST = dt.timedelta(days=1)
Minutes = tuple[int, int]  # from, and until


@dataclass(frozen=True)
class Day:
    """A date on the organization's clock."""

    date: dt.date
    zone: zoneinfo.ZoneInfo

    @cached_property
    def begins_at(self) -> dt.datetime:
        return _midnight(self.date, self.zone)

    @cached_property
    def ends_at(self) -> dt.datetime:
        return _midnight(self.date + ONE_DAY, self.zone)

    @property
    def length(self) -> int:
        """1380 or 1500 minutes when clocks change."""
        return self.minute_of(self.ends_at)

    def minute_of(self, at: dt.datetime) -> int:
        """Below 0 before the day, above its length after it."""
        return (at - self.begins_at) // MINUTE

    def within(self, begins_at: dt.datetime, ends_at: dt.datetime) -> Minutes:
        """The part of a time that lies in the day: the second is not above the first where none does."""
        return max(self.minute_of(begins_at), 0), min(-(-(ends_at - self.begins_at) // MINUTE), self.length)

    def hours(self) -> Iterator[tuple[int, str]]:
        """Each full hour of the clock, with its name: one that comes twice has its zone."""
        for minute in range(0, self.length + 1, 15):
            local = (self.begins_at + minute * MINUTE).astimezone(self.zone)
            if not local.minute:
                yield minute, f"{local:%H:%M %Z}" if is_doubled(local) else f"{local:%H:%M}"


@dataclass(frozen=True, slots=True)
class Stretch:
    """In which a resource does nothing: it is `closed`, or the resource is `off` or `away`."""

    begin: int
    end: int
    kind: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A resource, and when it does nothing."""

    resource: Resource
    stretches: Sequence[Stretch]


@dataclass(frozen=True, slots=True)
class DayPlan:
    """`opens`: when the organization is open; none on a day that is closed, for which `closed_note` may say why."""

    day: Day
    opens: Sequence[Minutes]
    closed_note: str
    columns: Sequence[Column]
    appointments: Sequence[Appointment]

    def shown(self) -> Minutes:
        """The hours that are worth showing: when somebody works, and those of the appointments."""
        spans = [*_open_minutes(self.columns, self.day), *(self.day.within(each.starts_at, each.ends_at)
                 for each in self.appointments if each.state != AppointmentState.CANCELED)]  # fmt: skip
        if not spans:
            return 8 * 60, 18 * 60
        begin, end = min(each[0] for each in spans), max(each[1] for each in spans)
        marks = [minute for minute, _name in self.day.hours()]
        first = max((mark for mark in marks if mark <= begin), default=0)
        return first, min((mark for mark in marks if mark >= end), default=self.day.length)


def read_day_plan(organization: Organization, date: dt.date) -> DayPlan:
    """The day as it is now."""
    day, schedule = Day(date, organization.zone), load_schedule(organization)
    appointments = list(appointments_of(organization, day))
    booked = {row.resource_id for each in appointments for row in each.booked.all() if row.is_held}
    resources = list(
        Resource.objects.filter(Q(is_active=True) | Q(pk__in=booked), organization=organization).prefetch_related(
            "hours", "services"
        )
    )
    opens = _spans(schedule, day)
    away = _away([each.pk for each in resources], day)
    columns = [Column(each, _stretches(each, schedule, opens, away[each.pk], day)) for each in resources]
    return DayPlan(day, opens, "" if opens else _note_of(organization, date), columns, appointments)


def appointments_of(organization: Organization, day: Day) -> Iterable[Appointment]:
    """All that lie in the day at least in part, by their start."""
    rows = Appointment.objects.filter(
        organization=organization,
        starts_at__gt=day.begins_at - LONGEST,
        starts_at__lt=day.ends_at,
        ends_at__gt=day.begins_at,
    )
    related = rows.select_related("organization", "service", "call").prefetch_related("booked", "events")
    return related.order_by("starts_at", "number")[:MOST_SHOWN]


def _midnight(date: dt.date, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    return dt.datetime.combine(date, dt.time(0), zone).astimezone(dt.UTC)


def _note_of(organization: Organization, date: dt.date) -> str:
    return next((each.note for each in organization.special_days.all() if each.date == date), "")


def _spans(schedule: Schedule, day: Day) -> list[Minutes]:
    """When it is open on the day, in order; a span may have begun the day before."""
    found: list[Minutes] = []
    for date in (day.date - ONE_DAY, day.date):
        for begin, end in (day.within(*span) for span in schedule.spans_of(date)):
            if begin < end and found and begin <= found[-1][1]:
                found[-1] = found[-1][0], max(end, found[-1][1])
            elif begin < end:
                found.append((begin, end))
    return found


def _away(ids: Sequence[int], day: Day) -> Mapping[int, list[Stretch]]:
    """Absences that people entered, and the busy times of connected calendars."""
    found: defaultdict[int, list[Stretch]] = defaultdict(list)
    absences = Absence.objects.filter(resource__in=ids, starts_at__lt=day.ends_at, ends_at__gt=day.begins_at)
    for absence in absences:
        found[absence.resource_id].append(
            Stretch(*day.within(absence.starts_at, absence.ends_at), "away", absence.note)
        )
    # What a person has moved in the calendar is an appointment of ours.
    for busy in busy_times(ids, day.begins_at, day.ends_at).filter(appointment=None):
        found[busy.resource_id].append(Stretch(*day.within(busy.starts_at, busy.ends_at), "busy"))
    return found


def _stretches(
    resource: Resource, schedule: Schedule, opens: Sequence[Minutes], away: Sequence[Stretch], day: Day
) -> list[Stretch]:
    own = own_schedule(resource, schedule.zone, {})
    works = opens if own is None else _both(opens, _spans(own, day))
    closed = [Stretch(begin, end, "closed") for begin, end in _between(opens, day.length)]
    off = [Stretch(begin, end, "off") for begin, end in _both(opens, list(_between(works, day.length)))]
    return sorted([*closed, *off, *away], key=lambda each: (each.begin, each.end))


def _between(spans: Sequence[Minutes], length: int) -> Iterator[Minutes]:
    """What is left of the day."""
    begin = 0
    for start, end in spans:
        if start > begin:
            yield begin, start
        begin = max(begin, end)
    if begin < length:
        yield begin, length


def _both(some: Sequence[Minutes], others: Sequence[Minutes]) -> list[Minutes]:
    """What lies in both, in order."""
    pairs = ((max(one[0], other[0]), min(one[1], other[1])) for one in some for other in others)
    return sorted((begin, end) for begin, end in pairs if begin < end)


def _open_minutes(columns: Sequence[Column], day: Day) -> Iterator[Minutes]:
    """When somebody works."""
    for column in columns:
        idle = [(each.begin, each.end) for each in column.stretches if each.kind in ("closed", "off")]
        yield from _between(idle, day.length)
