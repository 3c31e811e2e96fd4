"""Books, moves and cancels: only what availability offers at that time, and never a resource twice.

Bookings of an organization take turns by the lock of its row; what keeps a resource from being booked twice is the
constraint on its slots (docs/decisions/double-booking.md).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import F, Max
from django.utils import timezone

from agents.catalog.models import Service
from agents.organizations.models import Organization
from sessions.analytics.changes import note_day_change
from sessions.appointments.announcements import Announcement, announce
from sessions.appointments.availability import slot_at
from sessions.appointments.models import Appointment, AppointmentState, BookedResource, OccupiedSlot
from sessions.appointments.offers import Obstacle, obstacle
from sessions.appointments.queries import Calendar, load_calendar
from sessions.calls.models import Call
from sessions.orders.services.submission import lock_organization
from voiceapp.core import metrics
from voiceapp.core.errors import ApplicationError

BY_AGENT = "agent"


class NotPossible(Exception):
    """An appointment cannot begin then; nothing was changed."""

    def __init__(self, obstacle: Obstacle, calendar: Calendar) -> None:
        super().__init__(obstacle.name)
        self.obstacle = obstacle
        self.calendar = calendar


class Changed(ApplicationError):
    """Somebody else changed it first; nothing was changed."""

    message = "The appointment has been changed meanwhile. Reload the page."


class ServiceGone(ApplicationError):
    message = "The service of this appointment is no longer offered. Cancel it and book another one."


@dataclass(frozen=True, slots=True)
class Customer:
    """For whom it is."""

    name: str
    number: str = ""
    vehicle: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """Who does it: the agent on a call, or a person, whose name is kept. `said_turn`: the caller's, with the time."""

    call: Call | None = None
    draft_version: int | None = None
    said_turn: int | None = None
    person: str = ""
    idempotency_key: str | None = None
    request_digest: str = ""

    @property
    def name(self) -> str:
        return self.person or BY_AGENT


def book_appointment(
    service: Service, start: dt.datetime, customer: Customer, origin: Origin, *, now: dt.datetime | None = None
) -> Appointment:
    """Book it with the first resources that are free. Raises NotPossible.

    Inside the caller's transaction, if there is one, it is committed with it: say so only after that.
    """
    now = now or timezone.now()
    with transaction.atomic():
        organization = lock_organization(service.organization_id)
        calendar = _calendar(organization, service, start, now, origin)
        resource_ids = _resources(calendar, start)
        appointment = Appointment.objects.create(
            organization=organization,
            number=_next_number(organization),
            service=service,
            service_name=service.name,
            price=service.price,
            currency=organization.currency,
            starts_at=start,
            ends_at=start + dt.timedelta(minutes=service.duration_minutes),
            customer_name=customer.name,
            customer_number=customer.number,
            vehicle=customer.vehicle,
            note=customer.note,
            call=origin.call,
            draft_version=origin.draft_version,
            said_turn=origin.said_turn,
            idempotency_key=origin.idempotency_key,
            request_digest=origin.request_digest,
            made_by=origin.name,
        )
        _occupy(appointment, resource_ids, calendar)
        announce(appointment, Announcement.BOOKED, call=origin.call)
        note_day_change(organization.pk, appointment.created_at, call_id=appointment.call_id)
        transaction.on_commit(metrics.appointments_booked.inc)
    return appointment


def move_appointment(
    appointment: Appointment, start: dt.datetime, origin: Origin, *, now: dt.datetime | None = None
) -> Appointment:
    """Let it begin at another time, with the same resources where they are free. Raises NotPossible, Changed."""
    now = now or timezone.now()
    with transaction.atomic():
        organization = lock_organization(appointment.organization_id)
        service = appointment.service
        if service is None:
            raise ServiceGone
        calendar = _calendar(organization, service, start, now, origin, without=appointment)
        resource_ids = _resources(calendar, start)
        ends_at = start + dt.timedelta(minutes=service.duration_minutes)
        moved_from = appointment.starts_at
        _change(appointment, starts_at=start, ends_at=ends_at)
        appointment.booked.all().delete()
        appointment.slots.all().delete()
        _occupy(appointment, resource_ids, calendar)
        announce(appointment, Announcement.MOVED, call=origin.call, moved_from=moved_from)
    return appointment


def cancel_appointment(appointment: Appointment, origin: Origin, *, reason: str = "") -> Appointment:
    """Cancel it and free its resources. Raises Changed."""
    with transaction.atomic():
        organization = lock_organization(appointment.organization_id)
        _change(appointment, state=AppointmentState.CANCELED, cancel_reason=reason)
        appointment.slots.all().delete()
        appointment.booked.all().update(is_held=False)
        announce(appointment, Announcement.CANCELED, call=origin.call)
        note_day_change(organization.pk, appointment.created_at, call_id=appointment.call_id)
    return appointment


# What may come before a state that a person sets; cancel_appointment cancels.
BEFORE: Mapping[AppointmentState, Collection[AppointmentState]] = {
    AppointmentState.DONE: (AppointmentState.BOOKED, AppointmentState.NO_SHOW),
    AppointmentState.NO_SHOW: (AppointmentState.BOOKED, AppointmentState.DONE),
}


def may_become(appointment: Appointment, state: AppointmentState, now: dt.datetime) -> bool:
    """Whether it came, or did not come, is known after it began."""
    return appointment.state in BEFORE[state] and appointment.starts_at <= now


def close_appointment(appointment: Appointment, state: AppointmentState) -> None:
    """Note that the customer came or did not. Raises ApplicationError."""
    if not may_become(appointment, state, timezone.now()):
        raise ApplicationError(f"{appointment} cannot become {state.label.lower()} now. Reload the page.")
    changed = Appointment.objects.filter(pk=appointment.pk, state__in=BEFORE[state])
    if not changed.update(state=state, version=F("version") + 1, updated_at=timezone.now()):
        raise Changed
    appointment.refresh_from_db()


def _calendar(
    organization: Organization,
    service: Service,
    start: dt.datetime,
    now: dt.datetime,
    origin: Origin,
    *,
    without: Appointment | None = None,
) -> Calendar:
    return load_calendar(
        organization, service, now, first=start, last=start, by_person=bool(origin.person), without=without
    )


def _resources(calendar: Calendar, start: dt.datetime) -> tuple[int, ...]:
    found = obstacle(start, calendar.availability, calendar.period, calendar.zone)
    resource_ids = calendar.availability.resources_at(start)
    if found is not None or resource_ids is None:
        raise NotPossible(found or Obstacle.TAKEN, calendar)
    return resource_ids


def _next_number(organization: Organization) -> int:
    newest = Appointment.objects.filter(organization=organization).aggregate(newest=Max("number"))["newest"]
    return (newest or 0) + 1


def _occupy(appointment: Appointment, resource_ids: tuple[int, ...], calendar: Calendar) -> None:
    """Write the slots in one order everywhere, so that no two bookings wait for each other."""
    times, begin = calendar.availability.service, slot_at(appointment.starts_at)
    first, end = begin - times.before, begin + times.length + times.after
    try:
        with transaction.atomic():
            BookedResource.objects.bulk_create(
                BookedResource(appointment=appointment, resource_id=resource_id, first_slot=first, end_slot=end)
                for resource_id in resource_ids
            )
            OccupiedSlot.objects.bulk_create(
                OccupiedSlot(resource_id=resource_id, slot=slot, appointment=appointment)
                for resource_id in sorted(resource_ids)
                for slot in range(first, end)
            )
    except IntegrityError as exc:
        raise NotPossible(Obstacle.TAKEN, calendar) from exc


def _change(appointment: Appointment, **values: object) -> None:
    """A guarded update: it is still booked, and is what the caller has seen."""
    rows = Appointment.objects.filter(pk=appointment.pk, version=appointment.version, state=AppointmentState.BOOKED)
    if not rows.update(version=F("version") + 1, updated_at=timezone.now(), **values):
        raise Changed
    appointment.refresh_from_db()
