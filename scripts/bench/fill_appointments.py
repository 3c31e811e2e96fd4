"""Fills a month of ten people with appointments; prints how long it takes to find every free time, and the queries.

Usage, in the environment of the product: python scripts/bench/fill_appointments.py ORG APPOINTMENTS TIMES
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import django
from django.utils import timezone

PEOPLE, DAYS = 10, 30
LENGTH_MINUTES = 15


def measure(org_id: str, appointments: int, times: int) -> dict[str, Any]:
    django.setup()
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from agents.catalog.models import Service
    from agents.organizations.models import Organization
    from sessions.appointments.models import BookedResource
    from sessions.appointments.queries import load_calendar

    organization = Organization.objects.get(pk=org_id)
    service = Service.objects.create(
        organization=organization, name="Check", duration_minutes=30, days_ahead=DAYS, grid_minutes=15
    )
    now = timezone.now()
    queries = []
    # The number of queries must not depend on how many appointments there are.
    for number in (100, appointments - 100):
        fill(organization, service, now, number)
        with CaptureQueriesContext(connection) as captured:
            found = len(load_calendar(organization, service, now).availability.starts())
        queries.append(len(captured))
    rows = BookedResource.objects.filter(is_held=True).values_list("resource_id", "first_slot", "end_slot")
    return {
        "queries": queries,
        "found": found,
        "rows": rows.count(),
        "ours_ms": timings(lambda: load_calendar(organization, service, now).availability.starts(), times),
        "read_ms": timings(lambda: list(rows.all()), times),
    }


def fill(organization: Any, service: Any, now: dt.datetime, appointments: int) -> None:
    """Spread evenly over the people and the days, with gaps between."""
    from agents.resources.models import Absence, Resource, ResourceHours
    from sessions.appointments.availability import slot_at
    from sessions.appointments.models import Appointment, BookedResource, OccupiedSlot

    people = list(organization.resources.all()) or [
        Resource.objects.create(organization=organization, name=f"Person {number}") for number in range(PEOPLE)
    ]
    first = Appointment.objects.filter(organization=organization).count()
    for person in people if not first else ():
        for weekday in range(7):
            ResourceHours.objects.create(
                resource=person, weekday=weekday, opens_at=dt.time(0), closes_at=dt.time(23, 45)
            )
        Absence.objects.create(resource=person, starts_at=now, ends_at=now + dt.timedelta(hours=2))
    start, length = slot_at(now) + 24, LENGTH_MINUTES // 5
    apart = DAYS * 288 * PEOPLE // 10_000
    made, booked, slots = [], [], []
    for number in range(first, first + appointments):
        slot, person = start + number // PEOPLE * apart, people[number % PEOPLE]
        at = dt.datetime.fromtimestamp(slot * 300, dt.UTC)
        appointment = Appointment(
            organization=organization, number=number + 1, service=service, service_name=service.name, currency="EUR",
            starts_at=at, ends_at=at + dt.timedelta(minutes=LENGTH_MINUTES), customer_name="Ada", made_by="agent",
        )  # fmt: skip
        made.append(appointment)
        booked.append(BookedResource(appointment=appointment, resource=person, first_slot=slot, end_slot=slot + length))
        slots += [OccupiedSlot(appointment=appointment, resource=person, slot=slot + each) for each in range(length)]
    Appointment.objects.bulk_create(made, batch_size=1000)
    BookedResource.objects.bulk_create(booked, batch_size=1000)
    OccupiedSlot.objects.bulk_create(slots, batch_size=1000)


def timings(work: Callable[[], object], times: int) -> list[float]:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append((time.perf_counter() - began) * 1000)
    return taken


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
