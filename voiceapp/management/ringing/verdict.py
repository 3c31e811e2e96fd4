"""Compares what came of a call with its script: order, appointments, texts, transfer. The transcript is not used."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sessions.appointments.models import Appointment, AppointmentState
from sessions.calls.models import Call
from sessions.messages.texts.models import Text
from sessions.orders.line_texts import line_text
from sessions.orders.models import VOID_STATES, Order
from telephony.twilio.transfers.models import Transfer, TransferState

from .phone import SimulatedPhone
from .script import WEEKDAYS, ExpectedAppointment, ExpectedLine, Script

# The worker sends texts; the carrier delivers them.
TEXTS_ARRIVE_WITHIN_S = 15.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a call. `texts` are those that arrived at the caller's phone: kind and words."""

    order: Order | None
    lines: Sequence[ExpectedLine]
    appointments: Sequence[Appointment]
    texts: Sequence[tuple[str, str]]
    transfer: Transfer | None
    is_announced: bool  # the person heard the summary of the call

    def differences(self, script: Script) -> list[str]:
        """A sentence for each thing that is not as the script expects it."""
        wrong = [] if script.expected is None else differences(script.expected, self.lines)
        if script.appointments is not None:
            wrong += appointment_differences(script.appointments, self.appointments)
        if script.texts is not None:
            expected, arrived = Counter(script.texts), Counter(kind for kind, _ in self.texts)
            wrong += [f"text did not arrive: {kind}" for kind in (expected - arrived).elements()]
            wrong += [f"unexpected text: {kind}" for kind in (arrived - expected).elements()]
        if script.transfer is not None:
            wrong += self._transfer_differences(script.transfer)
        return wrong

    def _transfer_differences(self, expected: str) -> list[str]:
        transfer = self.transfer
        if transfer is None or not expected:
            names = expected or "none", transfer.name if transfer is not None else "none"
            return [] if names == ("none", "none") else ["transfer: expected {}, got {}".format(*names)]
        wrong = []
        if transfer.name != expected or transfer.state != TransferState.TALKED:
            outcome = f"{transfer.name}: {transfer.get_state_display().lower()}"
            wrong.append(f"transfer: expected a talk with {expected}, got {outcome}")
        if not self.is_announced:
            wrong.append(f"transfer: {transfer.name} did not hear the summary")
        return wrong


def outcome_of(call: Call, phone: SimulatedPhone, script: Script) -> Outcome:
    """Waits for the texts that the script expects, within reason."""
    order = call.orders.exclude(state__in=VOID_STATES).order_by("-created_at").first()
    transfer = Transfer.objects.filter(call=call).order_by("-created_at").first()
    return Outcome(
        order,
        ordered_lines(call.pk),
        booked_appointments(call.pk),
        _arrived(call, phone, at_least=len(script.texts or ())),
        transfer,
        transfer is not None and _is_announced(transfer, phone),
    )


def _arrived(call: Call, phone: SimulatedPhone, *, at_least: int) -> list[tuple[str, str]]:
    deadline = time.monotonic() + TEXTS_ARRIVE_WITHIN_S
    while True:
        at_phone = phone.texts_at(call.caller_number) if call.caller_number else {}
        sent = Text.objects.filter(call=call, provider_sid__in=at_phone).order_by("created_at")
        arrived = [(text.kind, at_phone[text.provider_sid or ""]) for text in sent]
        if len(arrived) >= at_least or time.monotonic() > deadline:
            return arrived
        time.sleep(0.2)


def _is_announced(transfer: Transfer, phone: SimulatedPhone) -> bool:
    numbers = {attempt.number for attempt in transfer.attempts.all()}
    return bool(transfer.summary) and any(transfer.summary in phone.sentences_heard_at(number) for number in numbers)


def ordered_lines(call_id: UUID) -> list[ExpectedLine]:
    """The lines of the call's valid order with every modifier."""
    order = (
        Order.objects.filter(call_id=call_id)
        .exclude(state__in=VOID_STATES)
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
    return line_text(line.quantity, line.size, line.item, line.modifiers)


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
