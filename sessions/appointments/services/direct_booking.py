"""Books an appointment that comes whole, from the internal API: once per idempotency key."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from django.db import transaction

from sessions.appointments.models import Appointment
from sessions.idempotency.requests import IdempotentRequest, call_of, customer_number_of, made_before
from sessions.orders.draft import Refused
from sessions.orders.services.submission import lock_organization
from voiceapp.core.transactions import retried

from .booking import Customer, NotPossible, Origin, book_appointment
from .services_said import find_service
from .times_said import exact_start, say_obstacle


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectBooking(IdempotentRequest):
    """The requested appointment. `service` and `time` are as callers say them."""

    service: str
    time: str
    customer: Customer


def book_directly(wish: DirectBooking, *, now: dt.datetime) -> tuple[Appointment, bool]:
    """The appointment, and whether it had been booked before.

    Raises Organization.DoesNotExist, NumberRefused, UnknownCall, KeyReused, Refused with a sentence, or NotSaved.
    """
    return retried(lambda: _book(wish, now), what="book-appointment")


def _book(wish: DirectBooking, now: dt.datetime) -> tuple[Appointment, bool]:
    with transaction.atomic():
        organization = lock_organization(wish.organization_id)
        if (earlier := made_before(Appointment.objects.all(), wish)) is not None:
            return earlier, True
        call = call_of(organization, wish.call_id)
        origin = Origin(call, idempotency_key=wish.scoped_key, request_digest=wish.request_digest)
        number = customer_number_of(organization, wish.customer.number, call)
        service = find_service(organization, wish.service)
        start = exact_start(organization, service, wish.time, now)
        try:
            customer = replace(wish.customer, number=number)
            return book_appointment(service, start, customer, origin, now=now), False
        except NotPossible as exc:
            raise Refused(say_obstacle(exc.obstacle, start, exc.calendar)) from exc
