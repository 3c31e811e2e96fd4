"""Books an appointment that comes whole, from the internal API: once per idempotency key."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from django.db import transaction

from agents.organizations.models import Organization
from sessions.appointments.models import Appointment
from sessions.calls.models import Call
from sessions.orders.draft import Refused
from sessions.orders.services.direct_orders import KeyReused, call_of, number_of
from sessions.orders.services.submission import lock_organization
from voiceapp.core.phones.numbers import read_caller
from voiceapp.core.transactions import retried

from .booking import Customer, NotPossible, Origin, book_appointment
from .services_said import find_service
from .times_said import exact_start, say_obstacle


@dataclass(frozen=True, slots=True)
class DirectBooking:
    """The requested appointment. `service` and `time` are as callers say them."""

    organization_id: uuid.UUID
    idempotency_key: str
    request_digest: str
    service: str
    time: str
    customer: Customer
    call_id: uuid.UUID | None = None

    @property
    def scoped_key(self) -> str:
        """A key is unique in its call, as those of orders."""
        return f"{self.call_id}:{self.idempotency_key}" if self.call_id else self.idempotency_key


def book_directly(wish: DirectBooking, *, now: dt.datetime) -> tuple[Appointment, bool]:
    """The appointment, and whether it had been booked before.

    Raises Organization.DoesNotExist, NumberRefused, UnknownCall, KeyReused, Refused with a sentence, or NotSaved.
    """
    return retried(lambda: _book(wish, now), what="book-appointment")


def _book(wish: DirectBooking, now: dt.datetime) -> tuple[Appointment, bool]:
    with transaction.atomic():
        organization = lock_organization(wish.organization_id)
        earlier = Appointment.objects.filter(organization=organization, idempotency_key=wish.scoped_key).first()
        if earlier is not None:
            if earlier.request_digest != wish.request_digest:
                raise KeyReused
            return earlier, True
        call = call_of(organization, wish.call_id)
        origin = Origin(call, idempotency_key=wish.scoped_key, request_digest=wish.request_digest)
        customer = _with_number(wish.customer, organization, call)
        service = find_service(organization, wish.service)
        start = exact_start(organization, service, wish.time, now)
        try:
            return book_appointment(service, start, customer, origin, now=now), False
        except NotPossible as exc:
            raise Refused(say_obstacle(exc.obstacle, start, exc.calendar)) from exc


def _with_number(customer: Customer, organization: Organization, call: Call | None) -> Customer:
    """The number as E.164; without one, that of the call."""
    of_call = read_caller(call.caller_number).number if call else ""
    number = number_of(organization, customer.number) or of_call
    return Customer(customer.name, number, customer.vehicle, customer.note)
