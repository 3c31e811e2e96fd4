"""Reads what availability is computed from: a fixed number of queries, however many appointments there are."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from agents.catalog.models import SLOT_MINUTES, Service
from agents.hours.queries import load_schedule, weekly_spans
from agents.hours.schedule import ONE_DAY, Schedule
from agents.organizations.models import Organization
from agents.resources.models import Absence, Resource, ResourceKind
from sessions.appointments.calendars.queries import busy_times
from sessions.calls.models import Direction

from .availability import Availability, ResourceTimes, ServiceTimes, Slots, slot_at, slot_from, time_of
from .models import Appointment, AppointmentState, BookedResource
from .offers import Period

# No appointment occupies more slots, buffers included.
LONGEST_SLOTS = 24 * 60 // SLOT_MINUTES


@dataclass(frozen=True, slots=True)
class Calendar:
    """A service beside what its organization's calendar has free for it."""

    service: Service
    period: Period
    availability: Availability
    wanted: Resource | None = None
    without: Appointment | None = None

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return self.availability.schedule.zone


def load_calendar(
    organization: Organization,
    service: Service,
    now: dt.datetime,
    *,
    first: dt.datetime | None = None,
    last: dt.datetime | None = None,
    by_person: bool = False,
    without: Appointment | None = None,
    wanted: Resource | None = None,
) -> Calendar:
    """When the service can begin between `first` and `last`, and within its lead time and its days ahead.

    A person (`by_person`) is bound by neither of these nor by the grid. `without` counts as free: it is being moved.
    `wanted`: the one of its kind that must do it.
    """
    schedule = load_schedule(organization)
    period = _any_period(now) if by_person else period_of(service, schedule.zone, now)
    times = _times_of(service, by_person=by_person)
    begin = max(slot_from(period.earliest), slot_at(first) if first else 0)
    end = slot_at(min(period.latest, last) if last else period.latest) + 1
    resources = _resources(service, schedule, begin - LONGEST_SLOTS, end + LONGEST_SLOTS, without, wanted)
    return Calendar(service, period, Availability(times, schedule, resources, begin, max(end, begin)), wanted, without)


def period_of(service: Service, zone: zoneinfo.ZoneInfo, now: dt.datetime) -> Period:
    """From the lead time on, to the end of the last bookable day."""
    last = now.astimezone(zone).date() + service.days_ahead * ONE_DAY
    latest = dt.datetime.combine(last, dt.time.max, zone).astimezone(dt.UTC)
    return Period(now, now + dt.timedelta(minutes=service.lead_time_minutes), latest)


def upcoming_of(organization: Organization, number: str, now: dt.datetime) -> QuerySet[Appointment]:
    """The booked appointments of the customer with that number, and those that were booked in calls with it.

    Never by our own side's number: a caller who fakes it would find all that was booked in calls of ours.
    """
    called_us = Q(call__direction=Direction.INBOUND, call__caller_number=number)
    was_called = Q(call__direction=Direction.OUTBOUND, call__dialed_number=number)
    return Appointment.objects.filter(
        Q(customer_number=number) | called_us | was_called,
        organization=organization,
        state=AppointmentState.BOOKED,
        starts_at__gt=now,
    ).order_by("starts_at", "number")


def _any_period(now: dt.datetime) -> Period:
    return Period(now, now, now + 3 * 365 * ONE_DAY)


def _times_of(service: Service, *, by_person: bool) -> ServiceTimes:
    kinds = [ResourceKind.STAFF] * service.needs_staff + [ResourceKind.BAY] * service.needs_bay
    return ServiceTimes(
        kinds=tuple(map(str, kinds)),
        length=_slots(service.duration_minutes),
        grid_minutes=SLOT_MINUTES if by_person else service.grid_minutes,
        before=_slots(service.buffer_before_minutes),
        after=_slots(service.buffer_after_minutes),
    )


def _slots(minutes: int) -> int:
    """Rounded up: a length that is no multiple of a slot occupies the whole last one."""
    return -(-minutes // SLOT_MINUTES)


def _resources(
    service: Service,
    schedule: Schedule,
    first: int,
    end: int,
    without: Appointment | None,
    wanted: Resource | None,
) -> list[ResourceTimes]:
    """Those that can do the service, with all that keeps them from it."""
    does_it = Q(services__isnull=True) | Q(services=service)
    if wanted is not None:
        does_it &= ~Q(kind=wanted.kind) | Q(pk=wanted.pk)
    rows = list(
        Resource.objects.filter(does_it, organization_id=service.organization_id, is_active=True)
        .distinct()
        .prefetch_related("hours")
    )
    ids = [row.pk for row in rows]
    if without is not None:  # what it has already is preferred
        own = set(without.booked.values_list("resource_id", flat=True))
        rows.sort(key=lambda row: row.pk not in own)
    absences, occupied = _absences(ids, first, end, without), _occupied(ids, first, end, without)
    shared: dict[object, Schedule] = {}
    return [
        ResourceTimes(
            id=row.pk,
            kind=row.kind,
            schedule=own_schedule(row, schedule.zone, shared),
            absences=absences[row.pk],
            occupied=occupied[row.pk],
        )
        for row in rows
    ]


def own_schedule(resource: Resource, zone: zoneinfo.ZoneInfo, shared: dict[object, Schedule]) -> Schedule | None:
    """The resource's working hours; those with the same hours share one value, which is computed once."""
    weekly = weekly_spans(resource.hours.all())
    if not weekly:
        return None
    return shared.setdefault(tuple(sorted(weekly.items())), Schedule(zone, weekly))


def _absences(
    ids: Sequence[int], first: int, end: int, without: Appointment | None
) -> Mapping[int, list[tuple[dt.datetime, dt.datetime]]]:
    """Absences that people entered, and the busy times of connected calendars."""
    found: defaultdict[int, list[tuple[dt.datetime, dt.datetime]]] = defaultdict(list)
    rows = Absence.objects.filter(resource__in=ids, starts_at__lt=time_of(end), ends_at__gt=time_of(first)).order_by()
    busy = busy_times(ids, time_of(first), time_of(end), without=without)
    columns = "resource_id", "starts_at", "ends_at"
    for resource_id, starts_at, ends_at in rows.values_list(*columns).union(busy.values_list(*columns), all=True):
        found[resource_id].append((starts_at, ends_at))
    return found


def _occupied(ids: Sequence[int], first: int, end: int, without: Appointment | None) -> Mapping[int, list[Slots]]:
    """As plain numbers: ten thousand rows are read in milliseconds."""
    found: defaultdict[int, list[Slots]] = defaultdict(list)
    rows = BookedResource.objects.filter(
        resource__in=ids, is_held=True, first_slot__gte=first - LONGEST_SLOTS, first_slot__lt=end
    ).order_by()
    if without is not None:
        rows = rows.exclude(appointment=without)
    for resource_id, first_slot, end_slot in rows.values_list("resource_id", "first_slot", "end_slot"):
        found[resource_id].append((first_slot, end_slot))
    return found
