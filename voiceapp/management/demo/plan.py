"""Appointments of the demo garage's next two working days: in every state, for the day plan."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from agents.hours.schedule import ONE_DAY
from agents.organizations.models import Organization
from sessions.appointments.models import Appointment, AppointmentState
from sessions.appointments.services.booking import (
    Customer,
    NotPossible,
    Origin,
    book_appointment,
    cancel_appointment,
)
from sessions.appointments.services.by_hand import local_start
from sessions.appointments.services.states import close_appointment, may_become
from sessions.messages.models import OutboxMessage

STATES = AppointmentState
# Time, service, who does it, the customer, the car, a note, and what became of it.
APPOINTMENTS = (
    ("08:00", "Inspection", "Mia", "Anna Weber", "VW Golf", "Waits in the shop", STATES.DONE),
    ("08:00", "Brake check", "Tom", "Ben Fischer", "Opel Corsa", "Squeaks when cold", STATES.DONE),
    ("08:30", "Battery check", "Yusuf", "Clara Wolf", "Fiat Panda", "", STATES.NO_SHOW),
    ("09:30", "Tire change", "Tom", "Deniz Kaya", "Skoda Octavia", "Wheels are stored here", STATES.DONE),
    ("10:00", "Oil change", "Mia", "Emma Koch", "Audi A3", "", STATES.DONE),
    ("10:00", "Brake repair", "Tom", "Felix Braun", "Ford Focus", "Call before parts are ordered", STATES.ARRIVED),
    ("10:30", "Battery check", "Yusuf", "Greta Lang", "Renault Zoe", "", STATES.DONE),
    ("11:30", "Air conditioning service", "Mia", "Hans Maier", "BMW 3", "Smells musty", STATES.BOOKED),
    ("13:00", "Tire change", "Yusuf", "Ida Schulz", "Seat Leon", "", STATES.BOOKED),
    ("13:00", "Inspection", "Mia", "Jonas Vogel", "Toyota Yaris", "Brings the key at noon", STATES.BOOKED),
    ("14:00", "Oil change", "Tom", "Kim Berger", "Kia Ceed", "", STATES.CANCELED),
    ("14:30", "Oil change", "Yusuf", "Lena Roth", "Mini", "", STATES.BOOKED),
    ("15:00", "Brake check", "Mia", "Malte Jung", "Volvo V60", "", STATES.BOOKED),
    ("15:30", "Tire change", "Tom", "Nora Beck", "VW Polo", "Own wheels", STATES.BOOKED),
)  # fmt: skip
DAYS = 2
MOST_DAYS_AHEAD = 5


@transaction.atomic
def fill_plan(garage: Organization) -> None:
    """A second run adds nothing to the same days. On days on which nobody works nothing is booked."""
    today, filled = timezone.now().astimezone(garage.zone).date(), 0
    for days in range(MOST_DAYS_AHEAD):
        booked = sum(_book(garage, today + days * ONE_DAY, number) for number in range(len(APPOINTMENTS)))
        filled += booked > 0
        if filled == DAYS:
            return


def _book(garage: Organization, date: dt.date, number: int) -> bool:
    clock, service, who, name, car, note, state = APPOINTMENTS[number]
    key = f"demo plan {date} {number}"
    if Appointment.objects.filter(organization=garage, idempotency_key=key).exists():
        return True
    start = local_start(garage, date, dt.time.fromisoformat(clock))
    origin = Origin(person="demo", idempotency_key=key)
    try:
        booked = book_appointment(
            garage.services.get(name=service),
            start,
            Customer(name, vehicle=car, note=note),
            origin,
            resource=garage.resources.get(name=who),
            now=start - ONE_DAY,
        )
    except NotPossible:
        return False
    _bring_into(booked, state)
    # Only now: nothing of the demo's days is sent anywhere.
    Appointment.objects.filter(pk=booked.pk).update(customer_number=f"+4930231255{number:02}")
    OutboxMessage.objects.filter(about=f"appointment:{booked.pk}").update(state=OutboxMessage.State.DONE)
    return True


def _bring_into(appointment: Appointment, state: AppointmentState) -> None:
    if state == STATES.CANCELED:
        cancel_appointment(appointment, Origin(person="demo"), reason="The customer is ill.")
    elif state != STATES.BOOKED and may_become(appointment, state, timezone.now()):
        close_appointment(appointment, state, by="demo")
