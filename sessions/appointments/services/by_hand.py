"""What a person does at the day plan: books a free time, and moves an appointment, by the rules of availability."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TypeVar

from django.db import transaction
from django.utils.translation import gettext as _

from agents.catalog.models import Service
from agents.organizations.models import Organization
from agents.resources.models import Resource
from sessions.appointments.models import Appointment
from sessions.idempotency.requests import IdempotentRequest, customer_number_of, made_before
from sessions.orders.services.submission import lock_organization
from voiceapp.core.errors import ApplicationError
from voiceapp.core.transactions import NotSaved, retried

from .booking import Customer, NotPossible, Origin, book_appointment, move_appointment
from .refusals import why_not

T = TypeVar("T")


def local_start(organization: Organization, date: dt.date, clock: dt.time) -> dt.datetime:
    """Of a time on the organization's clock, the first of two. Raises ApplicationError for one that clocks skip."""
    start = dt.datetime.combine(date, clock, organization.zone).astimezone(dt.UTC)
    if start.astimezone(organization.zone).replace(tzinfo=None) != dt.datetime.combine(date, clock):
        message = _("%(time)s does not exist on that day: the clocks are put forward. Choose another time.")
        raise ApplicationError(message % {"time": f"{clock:%H:%M}"})
    return start


def move_by_hand(
    appointment: Appointment, start: dt.datetime, *, by: str, resource: Resource | None, seen: int
) -> Appointment:
    """Move the version that the person saw. Raises ApplicationError with the reason, as people read it."""

    def move() -> Appointment:
        # Read anew: an attempt that was rolled back has changed the object.
        row = Appointment.objects.select_related("organization", "service").get(pk=appointment.pk)
        return move_appointment(row, start, Origin(person=by), resource=resource, seen=seen)

    return _said_plainly(move, start, "move an appointment")


def book_by_hand(
    service: Service, start: dt.datetime, customer: Customer, *, by: str, resource: Resource | None, key: str
) -> Appointment:
    """Book it once per `key`: a repeated click gets the same appointment. Raises ApplicationError."""
    request = IdempotentRequest(
        organization_id=service.organization_id, idempotency_key=f"day plan {key}", request_digest=""
    )
    origin = Origin(person=by, idempotency_key=request.scoped_key)

    def book() -> Appointment:
        with transaction.atomic():
            organization = lock_organization(service.organization_id)
            if (earlier := made_before(Appointment.objects.all(), request)) is not None:
                return earlier
            number = customer_number_of(organization, customer.number, None)
            wanted = Customer(customer.name, number, customer.vehicle, customer.note)
            return book_appointment(service, start, wanted, origin, resource=resource)

    return _said_plainly(book, start, "book an appointment")


def _said_plainly(work: Callable[[], T], start: dt.datetime, what: str) -> T:
    try:
        return retried(work, what=what)
    except NotPossible as exc:
        raise ApplicationError(why_not(exc.obstacle, start, exc.calendar)) from exc
    except NotSaved as exc:
        raise ApplicationError(_("Not saved: the server is busy. Try again.")) from exc
