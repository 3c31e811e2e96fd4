"""Booking, moving and canceling: only what is offered, and everything or nothing."""

from __future__ import annotations

import datetime as dt

import pytest

from agents.catalog.models import Service
from agents.hours.models import SpecialDay
from agents.organizations.models import Organization
from agents.resources.models import Absence, Resource, ResourceHours
from agents.tests.builders import make_resource, make_service
from sessions.appointments.models import Appointment, AppointmentState, BookedResource, OccupiedSlot
from sessions.appointments.offers import Obstacle
from sessions.appointments.queries import load_calendar
from sessions.appointments.services.booking import (
    Customer,
    NotPossible,
    Origin,
    book_appointment,
    cancel_appointment,
    move_appointment,
)
from sessions.appointments.services.history import Changed
from sessions.appointments.services.states import close_appointment
from sessions.messages.models import OutboxMessage
from sessions.tests.builders import make_garage
from voiceapp.core.errors import ApplicationError

pytestmark = pytest.mark.django_db

# A Tuesday, 10:00 in Berlin; the Friday after.
NOW = dt.datetime(2026, 12, 1, 9, 0, tzinfo=dt.UTC)
FRIDAY = dt.date(2026, 12, 4)
ADA = Customer("Ada", "+4915112345678", "VW Golf", "squeaks")


@pytest.fixture
def garage() -> Organization:
    return make_garage()[0]


@pytest.fixture
def oil(garage: Organization) -> Service:
    return garage.services.get(name="Oil change")


def at(organization: Organization, clock: str, date: dt.date = FRIDAY) -> dt.datetime:
    return dt.datetime.combine(date, dt.time.fromisoformat(clock), organization.zone).astimezone(dt.UTC)


def book(service: Service, start: dt.datetime, person: str = "") -> Appointment:
    return book_appointment(service, start, ADA, Origin(person=person), now=NOW)


def obstacle_of(service: Service, start: dt.datetime, person: str = "") -> Obstacle:
    with pytest.raises(NotPossible) as caught:
        book(service, start, person)
    return caught.value.obstacle


def nothing_is_left() -> bool:
    return not any(model.objects.exists() for model in (Appointment, BookedResource, OccupiedSlot, OutboxMessage))


def test_a_booking_copies_the_service_and_occupies_its_slots(garage: Organization, oil: Service) -> None:
    Service.objects.filter(pk=oil.pk).update(buffer_before_minutes=5, buffer_after_minutes=10)
    oil.refresh_from_db()
    appointment = book(oil, at(garage, "09:00"))
    assert (appointment.number, appointment.state, appointment.version) == (1, AppointmentState.BOOKED, 1)
    assert (appointment.service_name, appointment.price, appointment.currency) == ("Oil change", oil.price, "EUR")
    assert appointment.ends_at - appointment.starts_at == dt.timedelta(minutes=30)
    assert (appointment.customer_name, appointment.vehicle, appointment.made_by) == ("Ada", "VW Golf", "agent")
    assert [str(each) for each in appointment.booked.all()] == ["Mia"]
    assert OccupiedSlot.objects.filter(appointment=appointment).count() == 9


def test_it_is_announced_in_the_same_transaction(garage: Organization, oil: Service, woken: list[str]) -> None:
    appointment = book(oil, at(garage, "09:00"))
    message = OutboxMessage.objects.get()
    assert (message.event, message.about) == ("appointment.booked", f"appointment:{appointment.pk}")
    assert message.body["data"]["startsAt"] == "2026-12-04T08:00:00.000Z"
    assert message.body["data"]["resources"] == [
        {"id": Resource.objects.get(name="Mia").pk, "name": "Mia", "kind": "staff"}
    ]
    assert (message.body["data"]["service"], message.body["data"]["price"], message.body["data"]["timeZone"]) == (
        "Oil change", "89.90", "Europe/Berlin")  # fmt: skip


def test_two_people_take_two_customers_and_a_third_one_is_refused(garage: Organization, oil: Service) -> None:
    first, second = book(oil, at(garage, "09:00")), book(oil, at(garage, "09:00"))
    assert [str(each.booked.get()) for each in (first, second)] == ["Mia", "Tom"]
    assert obstacle_of(oil, at(garage, "09:00")) is Obstacle.TAKEN
    assert [first.number, second.number] == [1, 2]


def test_a_person_is_shared_by_two_services_and_a_bay_by_two_appointments(garage: Organization, oil: Service) -> None:
    inspection = garage.services.get(name="Inspection")
    book(inspection, at(garage, "09:00"))
    assert obstacle_of(inspection, at(garage, "09:30")) is Obstacle.TAKEN
    assert str(book(oil, at(garage, "09:30")).booked.get()) == "Tom"
    assert obstacle_of(oil, at(garage, "09:30")) is Obstacle.TAKEN


@pytest.mark.parametrize(
    ("date", "clock", "expected"),
    [
        (dt.date(2026, 12, 1), "09:30", Obstacle.PAST),
        (dt.date(2026, 12, 1), "10:30", Obstacle.TOO_SOON),
        (dt.date(2027, 3, 1), "09:00", Obstacle.TOO_FAR),
        (dt.date(2026, 12, 5), "09:00", Obstacle.CLOSED),
        (FRIDAY, "07:30", Obstacle.CLOSED),
        (FRIDAY, "17:00", Obstacle.CLOSED),
        (dt.date(2026, 12, 25), "09:00", Obstacle.HOLIDAY),
        (FRIDAY, "09:10", Obstacle.OFF_GRID),
        (FRIDAY, "09:01", Obstacle.OFF_GRID),
    ],
)
def test_what_is_not_offered_is_not_booked(
    garage: Organization, oil: Service, date: dt.date, clock: str, expected: Obstacle
) -> None:
    SpecialDay.objects.create(organization=garage, date=dt.date(2026, 12, 25), note="Christmas")
    Service.objects.filter(pk=oil.pk).update(lead_time_minutes=60)
    oil.refresh_from_db()
    assert obstacle_of(oil, at(garage, clock, date)) is expected
    assert nothing_is_left()


def test_without_a_resource_that_can_do_it_nothing_is_booked(garage: Organization, oil: Service) -> None:
    other = make_service(garage, "Paint", position=9)
    for person in garage.resources.filter(kind="staff"):
        person.services.set([other])
    assert obstacle_of(oil, at(garage, "09:00")) is Obstacle.TAKEN
    assert book(other, at(garage, "09:00"))
    Resource.objects.update(is_active=False)
    assert obstacle_of(other, at(garage, "10:00")) is Obstacle.TAKEN


def test_hours_and_absences_of_a_person_hold(garage: Organization, oil: Service) -> None:
    mia, tom = garage.resources.get(name="Mia"), garage.resources.get(name="Tom")
    ResourceHours.objects.create(resource=mia, weekday=4, opens_at=dt.time(12), closes_at=dt.time(17))
    Absence.objects.create(resource=tom, starts_at=at(garage, "00:00"), ends_at=at(garage, "10:00"))
    assert obstacle_of(oil, at(garage, "09:00")) is Obstacle.TAKEN
    assert str(book(oil, at(garage, "10:00")).booked.get()) == "Tom"
    assert str(book(oil, at(garage, "12:00")).booked.get()) == "Mia"


def test_a_person_books_without_lead_time_and_grid_but_not_twice(garage: Organization, oil: Service) -> None:
    Service.objects.filter(pk=oil.pk).update(lead_time_minutes=3 * 24 * 60)
    oil.refresh_from_db()
    today = dt.date(2026, 12, 1)
    assert obstacle_of(oil, at(garage, "10:05", today)) is Obstacle.TOO_SOON
    appointment = book(oil, at(garage, "10:05", today), person="alice")
    assert appointment.made_by == "alice"
    book(oil, at(garage, "10:05", today), person="alice")
    assert obstacle_of(oil, at(garage, "10:05", today), person="alice") is Obstacle.TAKEN
    assert obstacle_of(oil, at(garage, "20:00", today), person="alice") is Obstacle.CLOSED


def test_a_move_frees_the_old_time_and_keeps_the_person(garage: Organization, oil: Service) -> None:
    book(oil, at(garage, "09:00"))
    appointment = book(oil, at(garage, "09:00"))
    assert str(appointment.booked.get()) == "Tom"
    moved = move_appointment(appointment, at(garage, "09:30"), Origin(), now=NOW)
    assert (str(moved.booked.get()), moved.version, moved.starts_at) == ("Tom", 2, at(garage, "09:30"))
    assert moved.slots.count() == 6
    assert str(book(oil, at(garage, "09:00")).booked.get()) == "Tom"
    message = OutboxMessage.objects.get(event="appointment.moved")
    assert message.body["data"]["movedFrom"] == "2026-12-04T08:00:00.000Z"
    assert message.body["data"]["version"] == 2


def test_a_move_by_less_than_its_length_is_not_in_its_own_way(garage: Organization) -> None:
    inspection = garage.services.get(name="Inspection")
    appointment = book(inspection, at(garage, "09:00"))
    assert move_appointment(appointment, at(garage, "09:30"), Origin(), now=NOW).slots.count() == 24


def test_a_move_that_is_not_possible_changes_nothing(garage: Organization) -> None:
    inspection = garage.services.get(name="Inspection")
    appointment, other = book(inspection, at(garage, "09:00")), book(inspection, at(garage, "11:00"))
    before = list(OccupiedSlot.objects.order_by("resource", "slot").values_list("resource", "slot", "appointment"))
    with pytest.raises(NotPossible):
        move_appointment(appointment, other.starts_at, Origin(), now=NOW)
    appointment.refresh_from_db()
    assert (appointment.starts_at, appointment.version) == (at(garage, "09:00"), 1)
    after = list(OccupiedSlot.objects.order_by("resource", "slot").values_list("resource", "slot", "appointment"))
    assert after == before
    assert not OutboxMessage.objects.filter(event="appointment.moved").exists()


def test_a_canceled_appointment_frees_its_time_and_stays_known(garage: Organization) -> None:
    inspection = garage.services.get(name="Inspection")
    appointment = cancel_appointment(book(inspection, at(garage, "09:00")), Origin(), reason="Ill")
    assert (appointment.state, appointment.cancel_reason) == (AppointmentState.CANCELED, "Ill")
    assert not appointment.slots.exists()
    assert [str(each) for each in appointment.booked.all()] == ["Mia", "Bay 1"]
    assert book(inspection, at(garage, "09:00"))
    assert OutboxMessage.objects.filter(event="appointment.canceled").count() == 1


def test_what_somebody_else_has_changed_is_not_overwritten(garage: Organization, oil: Service) -> None:
    appointment = book(oil, at(garage, "09:00"))
    stale = Appointment.objects.get(pk=appointment.pk)
    move_appointment(appointment, at(garage, "10:00"), Origin(), now=NOW)
    with pytest.raises(Changed):
        cancel_appointment(stale, Origin())
    with pytest.raises(Changed):
        move_appointment(stale, at(garage, "11:00"), Origin(), now=NOW)
    cancel_appointment(appointment, Origin())
    with pytest.raises(Changed):
        move_appointment(appointment, at(garage, "11:00"), Origin(), now=NOW)


def test_whether_a_customer_came_is_noted_after_it_began(garage: Organization, oil: Service) -> None:
    appointment = book(oil, at(garage, "09:00"))
    later = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
    Appointment.objects.filter(pk=appointment.pk).update(starts_at=later, ends_at=later + dt.timedelta(hours=1))
    appointment.refresh_from_db()
    with pytest.raises(ApplicationError):
        close_appointment(appointment, AppointmentState.DONE)
    Appointment.objects.filter(pk=appointment.pk).update(starts_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    appointment.refresh_from_db()
    close_appointment(appointment, AppointmentState.NO_SHOW)
    close_appointment(appointment, AppointmentState.DONE)
    assert (appointment.state, appointment.version) == (AppointmentState.DONE, 3)


def test_the_calendar_is_read_in_a_fixed_number_of_queries(
    garage: Organization, oil: Service, django_assert_num_queries: object
) -> None:
    for number in range(4):
        resource = make_resource(garage, f"Person {number}")
        ResourceHours.objects.create(resource=resource, weekday=4, opens_at=dt.time(8), closes_at=dt.time(17))
        book(oil, at(garage, f"{9 + number:02}:00"))
    with django_assert_num_queries(6):  # type: ignore[operator]
        assert load_calendar(garage, oil, NOW).availability.starts()
