"""Compares the order and the appointments in the database with those of the script. The transcript is not used."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from sessions.appointments.models import Appointment, AppointmentState
from sessions.orders.models import Order, OrderState

from .script import WEEKDAYS, ExpectedAppointment, ExpectedLine


def ordered_lines(call_id: UUID) -> list[ExpectedLine]:
    """The lines of the call's valid order with every modifier."""
    order = (
        Order.objects.filter(call_id=call_id)
        .exclude(state__in=[OrderState.REPLACED, OrderState.CANCELED])
        .prefetch_related("lines__modifiers")
        .order_by("-created_at")
        .first()
    )
    if order is None:
        return []
    return [
        ExpectedLine(
            line.item,
            line.quantity,
            line.size,
            tuple(sorted(modifier.name for modifier in line.modifiers.all() for _ in range(modifier.quantity))),
        )
        for line in order.lines.all()
    ]


def differences(expected: Sequence[ExpectedLine], ordered: Sequence[ExpectedLine]) -> list[str]:
    """A sentence for each missing and each unexpected line; empty if the orders are equal."""
    wanted, got = Counter(expected), Counter(ordered)
    missing = [f"missing: {describe(line)}" for line in (wanted - got).elements()]
    return missing + [f"unexpected: {describe(line)}" for line in (got - wanted).elements()]


def describe(line: ExpectedLine) -> str:
    """A line as text."""
    extras = f" with {', '.join(line.modifiers)}" if line.modifiers else ""
    return f"{line.quantity} × {line.size} {line.item}".replace("  ", " ") + extras


def booked_appointments(call_id: UUID) -> list[Appointment]:
    """The valid appointments that the call has booked."""
    booked = Appointment.objects.filter(call_id=call_id).exclude(state=AppointmentState.CANCELED)
    return list(booked.select_related("organization"))


def appointment_differences(expected: Sequence[ExpectedAppointment], booked: Sequence[Appointment]) -> list[str]:
    """A sentence for each missing and each unexpected appointment; empty if they are the same."""
    left, missing = list(booked), []
    for wanted in expected:
        found = next((appointment for appointment in left if is_as_expected(appointment, wanted)), None)
        if found is None:
            missing.append(f"missing: {wanted.service} on {wanted.weekday} at {wanted.time:%H:%M}")
        else:
            left.remove(found)
    return missing + [f"unexpected: {describe_appointment(appointment)}" for appointment in left]


def is_as_expected(appointment: Appointment, expected: ExpectedAppointment) -> bool:
    """On the organization's clock, counted from the day on which it was booked."""
    zone = appointment.organization.zone
    start, booked_on = appointment.starts_at.astimezone(zone), appointment.created_at.astimezone(zone).date()
    texts = (
        (expected.service, appointment.service_name),
        (expected.customer_name, appointment.customer_name),
        (expected.vehicle, appointment.vehicle),
    )
    return (
        all(not wanted or wanted.casefold() == text.casefold() for wanted, text in texts)
        and WEEKDAYS[start.weekday()] == expected.weekday
        and start.time() == expected.time
        and start.date() - booked_on <= dt.timedelta(days=expected.within_days)
    )


def describe_appointment(appointment: Appointment) -> str:
    """An appointment as text, on the organization's clock."""
    start = appointment.starts_at.astimezone(appointment.organization.zone)
    car = f", {appointment.vehicle}" if appointment.vehicle else ""
    when = f"{WEEKDAYS[start.weekday()]} {start:%Y-%m-%d %H:%M}"
    return f"{appointment.service_name} on {when} for {appointment.customer_name}{car}"
