"""What people change at the day plan: by the rules of booking, one after the other, and back again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from agents.catalog.models import Service
from agents.organizations.models import Organization
from agents.resources.models import Absence, Resource
from sessions.appointments.feeds import topic_of
from sessions.appointments.models import Appointment, AppointmentEvent, AppointmentState, BookedResource, OccupiedSlot
from sessions.appointments.services.booking import (
    Customer,
    NotPossible,
    Origin,
    book_appointment,
    cancel_appointment,
    move_appointment,
)
from sessions.appointments.services.by_hand import book_by_hand, local_start
from sessions.appointments.services.history import Changed
from sessions.appointments.services.refusals import why_not
from sessions.appointments.services.states import close_appointment
from sessions.appointments.services.undoing import undo_change
from sessions.messages.models import OutboxMessage
from sessions.messages.texts.models import Text
from sessions.moves import UNDO_WITHIN
from sessions.tests.builders import make_garage
from voiceapp.core.errors import ApplicationError
from voiceapp.core.feeds.announcing import Announcement

pytestmark = pytest.mark.django_db

# A Tuesday, 10:00 in Berlin; the Friday after.
NOW = dt.datetime(2026, 12, 1, 9, 0, tzinfo=dt.UTC)
FRIDAY = dt.date(2026, 12, 4)
MIA = Origin(person="mia")


@pytest.fixture
def garage() -> Iterator[Organization]:
    with time_machine.travel(NOW):
        yield make_garage()[0]


def at(organization: Organization, clock: str, date: dt.date = FRIDAY) -> dt.datetime:
    return local_start(organization, date, dt.time.fromisoformat(clock))


def book(garage: Organization, clock: str, service: str = "Oil change", resource: str = "") -> Appointment:
    wanted = Resource.objects.get(name=resource) if resource else None
    start = at(garage, clock)
    row = Service.objects.get(organization=garage, name=service)
    return book_appointment(row, start, Customer("Ada", "+4915112345678"), MIA, resource=wanted, now=NOW)


def move(appointment: Appointment, start: dt.datetime, resource: str = "", **values: int) -> Appointment:
    wanted = Resource.objects.get(name=resource) if resource else None
    return move_appointment(appointment, start, MIA, resource=wanted, now=NOW, **values)


def refusal(appointment: Appointment, start: dt.datetime, resource: str = "") -> str:
    with pytest.raises(NotPossible) as caught:
        move(appointment, start, resource)
    return why_not(caught.value.obstacle, start, caught.value.calendar)


def who(appointment: Appointment) -> list[str]:
    return [str(each) for each in appointment.booked.all()]


def last(appointment: Appointment) -> int:
    return AppointmentEvent.objects.filter(appointment=appointment).latest("id").pk


def slots() -> set[tuple[int, int]]:
    return set(OccupiedSlot.objects.values_list("resource_id", "slot"))


def test_it_is_moved_to_another_resource_and_the_other_kind_stays(garage: Organization) -> None:
    appointment = book(garage, "09:00", "Inspection")
    assert who(move(appointment, appointment.starts_at, "Tom")) == ["Tom", "Bay 1"]
    assert OutboxMessage.objects.filter(event="appointment.moved").count() == 1
    # A move to where it is changes nothing, and nobody is notified.
    assert move(appointment, appointment.starts_at, "Tom").version == 2
    assert OutboxMessage.objects.filter(event="appointment.moved").count() == 1


def test_a_customer_is_told_of_a_new_time_and_not_of_a_new_person(garage: Organization) -> None:
    appointment = book(garage, "09:00")
    before = Text.objects.count()
    move(appointment, appointment.starts_at, "Tom")
    assert Text.objects.count() == before
    move(appointment, at(garage, "10:00"))
    assert Text.objects.filter(kind="appointment_moved").count() == 1


def test_a_refusal_says_who_has_no_time_and_why(garage: Organization) -> None:
    appointment = book(garage, "09:00", resource="Mia")
    other = book(garage, "10:00", "Inspection", resource="Tom")
    Absence.objects.create(
        resource=Resource.objects.get(name="Mia"), starts_at=at(garage, "12:00"), ends_at=at(garage, "13:00")
    )
    Resource.objects.get(name="Tom").services.set([garage.services.get(name="Inspection")])
    said = {
        refusal(appointment, at(garage, "10:30"), "Tom"),
        refusal(other, at(garage, "09:15"), "Mia"),
        refusal(other, at(garage, "11:30"), "Mia"),
        refusal(appointment, at(garage, "09:00"), "Bay 1"),
        refusal(appointment, at(garage, "20:00")),
        refusal(appointment, at(garage, "09:00", dt.date(2026, 12, 1))),
        refusal(appointment, at(garage, "09:01")),
    }
    assert said == {
        "Tom does not do Oil change. Choose another one.",
        f"Fri 4 Dec, 09:15 is taken: Mia has appointment No. {appointment.number} then (09:00–09:30).",
        "Mia is not there at 11:30 for as long as Inspection takes.",
        "Oil change needs no bay. Choose a person.",
        "Fri 4 Dec, 20:00 is not possible: Oil change does not fit into our opening hours then.",
        "Tue 1 Dec, 09:00 is over. Choose a later time.",
        "Appointments begin at full five minutes. Choose another time.",
    }
    Service.objects.filter(name="Inspection").update(buffer_before_minutes=10)
    other = Appointment.objects.get(pk=other.pk)
    assert refusal(other, at(garage, "09:35"), "Mia") == (
        f"Fri 4 Dec, 09:35 is too close to appointment No. {appointment.number} (09:00–09:30): "
        "Mia needs the time between them."
    )
    third = book(garage, "14:00", "Brake repair", resource="Mia")
    assert "no bay is free" in refusal(third, at(garage, "09:30"), "Mia")
    assert (appointment.version, BookedResource.objects.count()) == (1, 5)


def test_what_has_begun_is_passed_on_to_a_colleague_but_not_into_the_past(garage: Organization) -> None:
    appointment = book(garage, "09:00", resource="Mia")
    later = at(garage, "09:10")
    tom = Resource.objects.get(name="Tom")
    assert who(move_appointment(appointment, appointment.starts_at, MIA, resource=tom, now=later)) == ["Tom"]
    with pytest.raises(NotPossible):
        move_appointment(appointment, at(garage, "09:05"), MIA, now=later)


def test_the_second_of_two_people_learns_who_was_faster(garage: Organization) -> None:
    appointment = book(garage, "09:00", resource="Mia")
    move(Appointment.objects.get(), at(garage, "10:30"), "Tom", seen=1)
    with pytest.raises(Changed, match=r"^mia moved it to Fri 4 Dec 2026, 10:30 \(Tom\) at .* Look at it again"):
        move(Appointment.objects.get(), at(garage, "11:00"), seen=1)
    with pytest.raises(Changed, match="mia moved it"):
        cancel_appointment(Appointment.objects.get(), MIA, reason="Ill", seen=1)
    appointment.refresh_from_db()
    assert (appointment.starts_at, appointment.version) == (at(garage, "10:30"), 2)


def test_a_move_is_undone_once_and_only_where_its_time_is_still_free(garage: Organization) -> None:
    appointment = book(garage, "09:00", "Inspection", resource="Mia")
    before = slots()
    move(appointment, at(garage, "11:00"), "Tom")
    event = last(appointment)
    with pytest.raises(ApplicationError, match="more than 10 minutes ago"):
        undo_change(appointment, event_id=event, now=timezone.now() + UNDO_WITHIN + dt.timedelta(seconds=1))
    other = book(garage, "09:30", resource="Mia")
    with pytest.raises(ApplicationError, match="has been booked since"):
        undo_change(appointment, event_id=event, by="ben")
    assert Appointment.objects.get(pk=appointment.pk).starts_at == at(garage, "11:00")
    cancel_appointment(other, MIA, reason="Mistake")
    undo_change(appointment, event_id=event, by="ben")
    assert (appointment.starts_at, who(appointment)) == (at(garage, "09:00"), ["Mia", "Bay 1"])
    assert slots() == before
    assert appointment.ends_at - appointment.starts_at == dt.timedelta(hours=1)
    with pytest.raises(ApplicationError, match="ben put it back to"):
        undo_change(appointment, event_id=event, by="mia")
    with pytest.raises(ApplicationError, match="ben put it back to"):
        undo_change(appointment, event_id=last(appointment), by="mia")


def test_a_cancellation_is_undone_and_everybody_is_told_again(garage: Organization) -> None:
    appointment = book(garage, "09:00", "Inspection")
    before = slots()
    cancel_appointment(appointment, MIA, reason="Ill")
    assert slots() == set()
    undo_change(appointment, event_id=last(appointment), by="ben")
    assert (appointment.state, appointment.cancel_reason, slots()) == (AppointmentState.BOOKED, "", before)
    assert all(appointment.booked.values_list("is_held", flat=True))
    events = OutboxMessage.objects.filter(about=f"appointment:{appointment.pk}").order_by("id")
    names = [each.event for each in events if each.event]
    assert names == ["appointment.booked", "appointment.canceled", "appointment.booked"]


def test_arrived_and_no_show_are_noted_undone_and_move_nothing(garage: Organization) -> None:
    appointment = book(garage, "09:00")
    with pytest.raises(ApplicationError, match="cannot become “Arrived” now"):
        close_appointment(appointment, AppointmentState.ARRIVED, by="mia")
    soon = timezone.now().replace(second=0, microsecond=0) + dt.timedelta(hours=1)
    Appointment.objects.update(starts_at=soon, ends_at=soon + dt.timedelta(minutes=30))
    close_appointment(appointment, AppointmentState.ARRIVED, by="mia", seen="booked")
    with pytest.raises(Changed, match=r"mia noted at .* that the customer has arrived"):
        close_appointment(appointment, AppointmentState.ARRIVED, by="ben", seen="booked")
    with pytest.raises(ApplicationError, match="cannot become “No-show” now"):
        close_appointment(appointment, AppointmentState.NO_SHOW, by="ben")
    undo_change(appointment, event_id=last(appointment), by="ben")
    assert (appointment.state, appointment.slots.count()) == (AppointmentState.BOOKED, 6)


def test_every_change_is_announced_to_open_plans(garage: Organization) -> None:
    def is_announced() -> bool:
        waiting = [each[1] for each in connection.run_on_commit]
        connection.run_on_commit.clear()
        return Announcement(topic_of(garage.pk)) in waiting

    appointment = book(garage, "09:00")
    assert is_announced()
    move(appointment, at(garage, "10:00"))
    assert is_announced()
    cancel_appointment(appointment, MIA, reason="Ill")
    assert is_announced()
    undo_change(appointment, event_id=last(appointment))
    assert is_announced()
    Appointment.objects.update(starts_at=NOW - dt.timedelta(days=9))
    close_appointment(appointment, AppointmentState.NO_SHOW)
    assert is_announced()


def test_a_repeated_click_books_once(garage: Organization) -> None:
    service = garage.services.get(name="Oil change")
    start = at(garage, "09:00", FRIDAY + dt.timedelta(days=7))
    first, second = (
        book_by_hand(service, start, Customer("Ada", "030 5550199"), by="mia", resource=None, key="k") for _ in "12"
    )
    assert (first, first.customer_number, Appointment.objects.count()) == (second, "+49305550199", 1)
    with pytest.raises(ApplicationError, match=r"is taken: Mia has appointment No\. 1 then"):
        book_by_hand(service, start, Customer("Eve"), by="mia", resource=Resource.objects.get(name="Mia"), key="other")


def test_a_time_that_the_clocks_skip_or_repeat_is_refused(garage: Organization) -> None:
    garage.opening_hours.all().delete()
    appointment = book(garage, "09:00")
    with pytest.raises(ApplicationError, match="02:30 does not exist on that day"):
        local_start(garage, dt.date(2027, 3, 28), dt.time(2, 30))
    assert "comes twice" in refusal(appointment, local_start(garage, dt.date(2027, 10, 31), dt.time(2, 30)))
