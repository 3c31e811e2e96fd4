"""Books, moves and cancels: only what availability offers at that time, and never a resource twice.

Bookings of an organization take turns by the lock of its row; what keeps a resource from being booked twice is the
constraint on its slots (docs/decisions/double-booking.md).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from agents.catalog.models import Service
from agents.organizations.models import Organization
from agents.resources.models import Resource
from sessions.analytics.changes import note_day_change
from sessions.appointments.announcements import Announcement, announce
from sessions.appointments.availability import SLOT, slot_at
from sessions.appointments.feeds import announce_appointments
from sessions.appointments.models import Appointment, AppointmentState, BookedResource, OccupiedSlot
from sessions.appointments.offers import Obstacle, obstacle
from sessions.appointments.queries import Calendar, load_calendar
from sessions.calls.models import Call
from sessions.orders.services.submission import lock_organization
from voiceapp.core import metrics
from voiceapp.core.errors import ApplicationError

from .history import BY_AGENT, change, held_by, note_move, note_state


class NotPossible(Exception):
    """An appointment cannot begin then; nothing was changed."""

    def __init__(self, obstacle: Obstacle, calendar: Calendar) -> None:
        super().__init__(obstacle.name)
        self.obstacle = obstacle
        self.calendar = calendar


class ServiceGone(ApplicationError):
    message = _("The service of this appointment is no longer offered. Cancel it and book another one.")


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
    service: Service,
    start: dt.datetime,
    customer: Customer,
    origin: Origin,
    *,
    resource: Resource | None = None,
    now: dt.datetime | None = None,
) -> Appointment:
    """Book it with `resource`, and the first other ones that are free. Raises NotPossible.

    Inside the caller's transaction, if there is one, it is committed with it: say so only after that.
    """
    now = now or timezone.now()
    with transaction.atomic():
        organization = lock_organization(service.organization_id)
        calendar = _calendar(organization, service, start, now, origin, wanted=resource)
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
        announce_appointments(organization.pk)
        note_day_change(organization.pk, appointment.created_at, call_id=appointment.call_id)
        transaction.on_commit(metrics.appointments_booked.inc)
    return appointment


def move_appointment(
    appointment: Appointment,
    start: dt.datetime,
    origin: Origin,
    *,
    resource: Resource | None = None,
    seen: int | None = None,
    now: dt.datetime | None = None,
) -> Appointment:
    """Let it begin at another time or be done by `resource`; its resources stay where they are free.

    `seen`: the version that the person saw. Raises NotPossible, Changed.
    """
    now = now or timezone.now()
    with transaction.atomic():
        organization = lock_organization(appointment.organization_id)
        service = appointment.service
        if service is None:
            raise ServiceGone
        if origin.person and start == appointment.starts_at:
            now = min(now, start - SLOT)  # a person may pass on to a colleague what has begun
        calendar = _calendar(organization, service, start, now, origin, without=appointment, wanted=resource)
        resource_ids = _resources(calendar, start)
        started, ended, held = appointment.starts_at, appointment.ends_at, held_by(appointment)
        if (start, set(resource_ids)) == (started, {row[0] for row in held}):
            return appointment
        ends_at = start + dt.timedelta(minutes=service.duration_minutes)
        change(appointment, seen=seen, starts_at=start, ends_at=ends_at)
        free_resources(appointment)
        _occupy(appointment, resource_ids, calendar)
        note_move(appointment, started=started, ended=ended, held=held, by=origin.name)
        announce(appointment, Announcement.MOVED, call=origin.call, moved_from=started)
    return appointment


def cancel_appointment(
    appointment: Appointment, origin: Origin, *, reason: str = "", seen: int | None = None
) -> Appointment:
    """Cancel it and free its resources. Raises Changed."""
    with transaction.atomic():
        organization = lock_organization(appointment.organization_id)
        before = appointment.state
        change(appointment, seen=seen, state=AppointmentState.CANCELED, cancel_reason=reason)
        appointment.slots.all().delete()
        appointment.booked.all().update(is_held=False)
        note_state(appointment, before=before, by=origin.name, reason=reason)
        announce(appointment, Announcement.CANCELED, call=origin.call)
        note_day_change(organization.pk, appointment.created_at, call_id=appointment.call_id)
    return appointment


def free_resources(appointment: Appointment) -> None:
    """It gets others in the same transaction."""
    appointment.booked.all().delete()
    appointment.slots.all().delete()


def hold_resources(appointment: Appointment, held: Sequence[tuple[int, int, int]]) -> None:
    """Resource, first and end slot of each. Raises IntegrityError where another appointment has one of the slots.

    The slots are written in one order everywhere, so that no two bookings wait for each other.
    """
    with transaction.atomic():
        BookedResource.objects.bulk_create(
            BookedResource(appointment=appointment, resource_id=resource_id, first_slot=first, end_slot=end)
            for resource_id, first, end in held
        )
        OccupiedSlot.objects.bulk_create(
            OccupiedSlot(resource_id=resource_id, slot=slot, appointment=appointment)
            for resource_id, first, end in sorted(held)
            for slot in range(first, end)
        )


def _calendar(
    organization: Organization,
    service: Service,
    start: dt.datetime,
    now: dt.datetime,
    origin: Origin,
    *,
    without: Appointment | None = None,
    wanted: Resource | None = None,
) -> Calendar:
    return load_calendar(
        organization,
        service,
        now,
        first=start,
        last=start,
        by_person=bool(origin.person),
        without=without,
        wanted=wanted,
    )


def _resources(calendar: Calendar, start: dt.datetime) -> tuple[int, ...]:
    found = obstacle(start, calendar.availability, calendar.period, calendar.zone)
    resource_ids = calendar.availability.resources_at(start)
    is_wanted = calendar.wanted is None or calendar.wanted.pk in (resource_ids or ())
    if found is not None or resource_ids is None or not is_wanted:
        raise NotPossible(found or Obstacle.TAKEN, calendar)
    return resource_ids


def _next_number(organization: Organization) -> int:
    newest = Appointment.objects.filter(organization=organization).aggregate(newest=Max("number"))["newest"]
    return (newest or 0) + 1


def _occupy(appointment: Appointment, resource_ids: tuple[int, ...], calendar: Calendar) -> None:
    times, begin = calendar.availability.service, slot_at(appointment.starts_at)
    first, end = begin - times.before, begin + times.length + times.after
    try:
        hold_resources(appointment, [(resource_id, first, end) for resource_id in resource_ids])
    except IntegrityError as exc:
        raise NotPossible(Obstacle.TAKEN, calendar) from exc
