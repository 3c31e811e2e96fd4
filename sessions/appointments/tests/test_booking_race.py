"""Threads that race on a real database: a time is booked once, whoever asks and however."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from agents.catalog.models import Service
from agents.organizations.models import Organization
from agents.tests.builders import make_resource, make_service
from sessions.appointments.models import Appointment, BookedResource, OccupiedSlot
from sessions.appointments.services.booking import (
    Customer,
    NotPossible,
    Origin,
    book_appointment,
    move_appointment,
)
from sessions.messages.models import OutboxMessage
from sessions.tests.builders import make_garage
from voiceapp.core.transactions import NotSaved, retried

pytestmark = pytest.mark.django_db(transaction=True)

T = TypeVar("T")
THREADS = 64
NOW = dt.datetime(2026, 12, 1, 9, 0, tzinfo=dt.UTC)
FRIDAY_AT_NINE = dt.datetime(2026, 12, 4, 8, 0, tzinfo=dt.UTC)


def race(racers: list[Callable[[], T]]) -> list[T]:
    """What each returned, all started at the same time on connections of their own."""
    start = threading.Barrier(len(racers))

    def run(racer: Callable[[], T]) -> T:
        try:
            start.wait(timeout=30)
            return racer()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(racers)) as pool:
        return [future.result(timeout=90) for future in [pool.submit(run, racer) for racer in racers]]


@pytest.fixture
def garage() -> Organization:
    """One person does everything."""
    organization = make_garage()[0]
    organization.resources.all().delete()
    make_resource(organization, "Mia")
    return organization


@pytest.fixture
def oil(garage: Organization) -> Service:
    return garage.services.get(name="Oil change")


def try_to_book(service: Service, start: dt.datetime) -> Appointment | None:
    try:
        return retried(
            lambda: book_appointment(service, start, Customer("Ada"), Origin(), now=NOW), what="a booking of the race"
        )
    except (NotPossible, NotSaved):
        return None


def test_of_64_threads_one_books(oil: Service) -> None:
    booked = [each for each in race([lambda: try_to_book(oil, FRIDAY_AT_NINE)] * THREADS) if each]
    assert len(booked) == Appointment.objects.count() == OutboxMessage.objects.count() == 1
    assert OccupiedSlot.objects.count() == 6


def test_with_two_people_two_are_booked_and_times_that_overlap_once(garage: Organization, oil: Service) -> None:
    make_resource(garage, "Tom")
    long = make_service(garage, "Long", duration_minutes=60, position=5)
    half_past = FRIDAY_AT_NINE + dt.timedelta(minutes=30)
    racers = [lambda: try_to_book(long, FRIDAY_AT_NINE), lambda: try_to_book(oil, half_past)] * 8
    booked = [each for each in race(racers) if each]
    assert len(booked) == Appointment.objects.count() == 2
    assert {each.booked.get().resource_id for each in booked} == set(garage.resources.values_list("pk", flat=True))


def test_the_database_itself_refuses_the_second_one(oil: Service) -> None:
    """Without the organization's lock, and without asking what is free."""
    mia = oil.organization.resources.get()
    appointments = [
        Appointment.objects.create(
            organization=oil.organization, number=number, service=oil, service_name="Oil change", currency="EUR",
            starts_at=FRIDAY_AT_NINE, ends_at=FRIDAY_AT_NINE + dt.timedelta(minutes=30), customer_name="Ada",
        )
        for number in range(1, 17)
    ]  # fmt: skip

    def occupy(appointment: Appointment) -> bool:
        try:
            with transaction.atomic():
                rows = [OccupiedSlot(resource=mia, slot=slot, appointment=appointment) for slot in range(100, 106)]
                OccupiedSlot.objects.bulk_create(rows)
        except (IntegrityError, OperationalError):
            return False
        return True

    done = race([lambda each=appointment: occupy(each) for appointment in appointments])  # type: ignore[misc]
    assert sum(done) == 1
    assert OccupiedSlot.objects.count() == 6


def test_moves_that_swap_their_times_end_with_every_time_booked_once(garage: Organization, oil: Service) -> None:
    later = FRIDAY_AT_NINE + dt.timedelta(hours=1)
    first, second = try_to_book(oil, FRIDAY_AT_NINE), try_to_book(oil, later)
    assert first
    assert second

    def move(appointment: Appointment, start: dt.datetime) -> bool:
        try:
            retried(lambda: move_appointment(appointment, start, Origin(), now=NOW), what="a move of the race")
        except (NotPossible, NotSaved):
            return False
        return True

    free = FRIDAY_AT_NINE + dt.timedelta(hours=3)
    done = race([lambda: move(first, free), lambda: move(second, free)] * 1)
    assert sum(done) == 1
    held = BookedResource.objects.filter(is_held=True)
    assert sorted(held.values_list("first_slot", flat=True)) == sorted(
        OccupiedSlot.objects.filter(slot__in=held.values("first_slot")).values_list("slot", flat=True)
    )
    assert OccupiedSlot.objects.count() == 12
