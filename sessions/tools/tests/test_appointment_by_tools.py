"""An appointment from the first question to the confirmation, through the tools; found again, moved and canceled."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from agents.catalog.models import Service
from agents.hours.models import SpecialDay
from agents.organizations.models import Organization
from agents.tests.builders import make_menu, make_service
from sessions.appointments.models import Appointment, AppointmentState, DraftAppointment, OccupiedSlot
from sessions.appointments.services import confirmed
from sessions.appointments.services.confirmed import find_own
from sessions.calls.models import Call, CallEvent, ToolCall
from sessions.messages.models import OutboxMessage
from sessions.tests.builders import Phone, make_call, make_garage, make_restaurant
from sessions.tools.briefing import brief
from sessions.tools.registry import APPOINTMENT_TOOLS

pytestmark = pytest.mark.django_db

# A Tuesday, 10:00 in Berlin.
NOW = dt.datetime(2026, 12, 1, 9, 0, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def garage() -> tuple[Organization, Call]:
    return make_garage()


@pytest.fixture
def phone(garage: tuple[Organization, Call]) -> Phone:
    return Phone(garage[1].pk)


def chosen(phone: Phone, **more: object) -> dict[str, Any]:
    choice = {"service": "oil change", "time": "Friday at 9", "customer_name": "Ada Lovelace", "vehicle": "VW Golf"}
    return phone.use("choose_appointment", "", **(choice | more))


def booked(phone: Phone, **more: object) -> dict[str, Any]:
    """Chosen, read back, agreed to and booked."""
    assert chosen(phone, **more)["ok"]
    assert phone.use("read_back_appointment")["ok"]
    phone.speaks()
    return phone.use("book_appointment")


def test_the_model_sees_these_functions() -> None:
    """Changes of the schemas are deliberate, also when msgspec, which generates them, is updated."""
    stored = json.loads((Path(__file__).parent / "data" / "appointment_functions.json").read_text())
    assert {name: tool.as_function() for name, tool in APPOINTMENT_TOOLS.items()} == stored


def test_an_appointment_is_found_chosen_read_back_booked_and_announced(
    garage: tuple[Organization, Call], phone: Phone
) -> None:
    found = phone.use("find_appointment_times", service="new oil", when="Friday morning")
    assert found["say"] == "I have Friday, December 4 at 8 am, 10 am or 11:30 am."
    assert found["times"][0] == {"time": "2026-12-04 08:00", "say": "Friday, December 4 at 8 am"}
    said = phone.use("choose_appointment", service="oil change", time="2026-12-04 08:00")
    assert said["say"] == "Oil change on Friday, December 4 at 8 am. What is your name?"
    said = phone.use("choose_appointment", customer_name="Ada Lovelace", vehicle="VW Golf")
    assert (said["draft"]["time"], said["draft"]["missing"]) == ("2026-12-04 08:00", [])
    read = phone.use("read_back_appointment")
    assert read["say"] == (
        "I have Oil change on Friday, December 4 at 8 am for Ada Lovelace, with the VW Golf. "
        "It takes 30 minutes and costs 89 euros 90. Is that right?"
    )
    phone.speaks()
    done = phone.use("book_appointment")
    assert done["say"] == "Oil change is booked for Friday, December 4 at 8 am. The appointment number is 1."
    assert (done["ok"], done["appointment"]) == (True, 1)
    appointment = Appointment.objects.get()
    assert appointment.starts_at == dt.datetime(2026, 12, 4, 7, 0, tzinfo=dt.UTC)
    assert (appointment.customer_name, appointment.customer_number) == ("Ada Lovelace", "+4915112345678")
    assert (appointment.call_id, appointment.draft_version, appointment.made_by) == (phone.call_id, 2, "agent")
    assert OutboxMessage.objects.get().event == "appointment.booked"
    event = CallEvent.objects.get(kind="appointment_booked")
    assert event.detail == {"number": 1, "service": "Oil change", "at": "2026-12-04 08:00"}
    assert not ToolCall.objects.exclude(outcome="done").exists()


def test_nothing_is_booked_before_it_was_read_back_and_the_caller_has_answered(phone: Phone) -> None:
    chosen(phone)
    assert phone.use("book_appointment")["say"] == "Let me repeat the appointment to you first."
    phone.use("read_back_appointment")
    assert phone.use("book_appointment")["say"] == "Please tell me first whether that is right."
    phone.speaks()
    phone.use("choose_appointment", time="Friday at 10")
    assert phone.use("book_appointment")["say"] == "Let me repeat the appointment to you first."
    assert not Appointment.objects.exists()


def test_repeated_it_is_the_same_appointment(phone: Phone) -> None:
    first = booked(phone)
    assert phone.use("book_appointment") == first
    phone.speaks()
    assert phone.use("book_appointment")["say"] == first["say"]
    assert Appointment.objects.count() == OutboxMessage.objects.count() == 1


def test_a_second_appointment_of_the_same_call_begins_anew_with_the_same_customer(phone: Phone) -> None:
    booked(phone)
    view = phone.use("choose_appointment", service="inspection", time="Friday at 10")
    assert (view["draft"]["customer_name"], view["draft"]["vehicle"]) == ("Ada Lovelace", "")
    phone.use("read_back_appointment")
    phone.speaks()
    assert phone.use("book_appointment")["appointment"] == 2
    assert [each.service_name for each in Appointment.objects.all()] == ["Oil change", "Inspection"]


def test_nobody_books_the_garage_full(phone: Phone) -> None:
    for hour in range(8, 13):
        assert booked(phone, time=f"Friday {hour:02}:00")["ok"]
    chosen(phone, time="Friday 14:00")
    assert "connect you to a person" in phone.use("read_back_appointment")["say"]
    assert Appointment.objects.count() == 5


@pytest.mark.parametrize(
    ("time", "says"),
    [
        ("today at 8", "Today, Tuesday, December 1 at 8 am is over. The nearest I have is"),
        ("today at 10:15", "Today, Tuesday, December 1 at 10:15 am is too soon"),
        ("2027-03-28 02:30", "2:30 am does not exist on Sunday, March 28, 2027: the clocks are put forward."),
        ("Friday at 7 am", "Friday, December 4 at 7 am is not possible: Oil change does not fit into our opening"),
        ("Saturday at 9", "Saturday, December 5 at 9 am is not possible"),
        ("December 25 at 9", "We are closed on Friday, December 25."),
        ("Friday at 9:10", "Appointments for Oil change begin every half hour."),
        (
            "June 1, 2027 at 9",
            "Tuesday, June 1, 2027 at 9 am is too far ahead: I can book until Saturday, January 30, 2027.",
        ),
        ("1999-01-01 09:00", "Friday, January 1, 1999 at 9 am is over."),
        ("Friday", "I have Friday, December 4 at 8 am, 12:30 pm or 4:30 pm. Which time would you like?"),
        ("when it suits you", "I did not understand “when it suits you” as a day or a time."),
    ],
)
def test_what_cannot_be_booked_is_said_with_the_reason_and_changes_nothing(
    garage: tuple[Organization, Call], phone: Phone, time: str, says: str
) -> None:
    SpecialDay.objects.create(organization=garage[0], date=dt.date(2026, 12, 25))
    Service.objects.update(lead_time_minutes=60)
    said = chosen(phone, time=time)
    assert not said["ok"]
    assert said["say"].startswith(says)
    assert not DraftAppointment.objects.exclude(version=0).exists()


def test_a_doubled_hour_is_refused() -> None:
    organization, call = make_garage("Night Garage")
    organization.opening_hours.all().delete()
    with time_machine.travel(dt.datetime(2026, 10, 20, 9, tzinfo=dt.UTC), tick=False):
        said = chosen(Phone(call.pk), time="October 25 at 02:30")
    assert said["say"].startswith("2:30 am comes twice on Sunday, October 25: the clocks are put back.")


def test_a_time_that_was_taken_meanwhile_is_not_booked(garage: tuple[Organization, Call], phone: Phone) -> None:
    call = garage[1]
    assert call.agent is not None
    other = Phone(make_call(call.agent, caller_number="+4915112345699").pk)
    for each in (phone, other):
        assert chosen(each, service="inspection")["ok"]
        assert each.use("read_back_appointment")["ok"]
        each.speaks()
    assert phone.use("book_appointment")["ok"]
    said = other.use("book_appointment")
    assert not said["ok"]
    assert said["say"] == (
        "Friday, December 4 at 9 am is taken. The nearest I have is Friday, December 4 at 8 am, 10 am or 11 am."
    )
    assert said["draft"]["time"] == ""
    assert Appointment.objects.count() == 1


def test_a_price_that_changed_after_the_read_back_is_read_back_again(phone: Phone) -> None:
    chosen(phone)
    phone.use("read_back_appointment")
    phone.speaks()
    Service.objects.filter(name="Oil change").update(price=99)
    assert phone.use("book_appointment")["say"] == "Let me repeat the appointment to you again."
    assert "costs 99 euros" in phone.use("read_back_appointment")["say"]
    phone.speaks()
    assert phone.use("book_appointment")["ok"]


def test_a_service_that_is_offered_no_more_is_not_booked(phone: Phone) -> None:
    chosen(phone)
    phone.use("read_back_appointment")
    phone.speaks()
    Service.objects.filter(name="Oil change").update(is_active=False)
    assert phone.use("book_appointment")["say"].startswith("Oil change is no longer offered.")
    assert phone.use("read_back_appointment")["say"].startswith("Oil change is no longer offered.")
    assert not Appointment.objects.exists()


def test_the_beginning_of_a_long_wish_is_offered_first(phone: Phone) -> None:
    found = phone.use("find_appointment_times", service="oil change", when="next month")
    assert found["times"][0]["time"] == "2027-01-01 08:00"


def test_on_a_call_that_we_placed_the_customer_is_the_one_who_was_called(garage: tuple[Organization, Call]) -> None:
    assert garage[1].agent is not None
    placed = make_call(
        garage[1].agent, direction="outbound", caller_number="+493023125002", dialed_number="+4915112345678"
    )
    phone = Phone(placed.pk)
    booked(phone)
    assert Appointment.objects.get().customer_number == "+4915112345678"
    assert phone.use("find_my_appointments")["ok"]


@pytest.mark.parametrize(
    ("time", "says"),
    [
        ("25:00", "I did not understand “25:00” as a day or a time."),
        ("next Thirsday at 9", "I did not understand “next Thirsday at 9” as a day or a time."),
        ("in -3 days at 9 am", "I did not understand “in -3 days at 9 am” as a day or a time."),
        ("in 400 days at 9 am", "Wednesday, January 5, 2028 at 9 am is too far ahead"),
        ("yesterday at 9 am", "I did not understand “yesterday at 9 am” as a day or a time."),
        ("2026-11-30 09:00", "Monday, November 30 at 9 am is over."),
    ],
)
def test_a_time_that_is_none_is_a_sentence_and_changes_nothing(phone: Phone, time: str, says: str) -> None:
    answer = phone.use("choose_appointment", service="oil change", time=time)
    assert not answer["ok"]
    assert answer["say"].startswith(says)
    assert not DraftAppointment.objects.exclude(starts_at=None).exists()


@pytest.mark.parametrize("name", ["", "   ", "\u202e\u200b", "\x00\n"])
def test_a_name_without_a_character_is_asked_for_again(phone: Phone, name: str) -> None:
    answer = phone.use("choose_appointment", service="oil change", time="Friday at 9", customer_name=name)
    assert answer["draft"]["missing"] == ["What is your name?"]
    assert not phone.use("read_back_appointment")["ok"]


def test_a_call_that_pretends_to_come_from_our_own_number_finds_nothing(garage: tuple[Organization, Call]) -> None:
    agent = garage[1].agent
    assert agent is not None
    placed = make_call(agent, direction="outbound", caller_number="+493023125002", dialed_number="+4915112345678")
    booked(Phone(placed.pk), customer_number="0151 99999999")
    own = Phone(make_call(agent, caller_number="+4915112345678").pk)
    assert own.use("find_my_appointments")["ok"]
    faked = Phone(make_call(agent, caller_number="+493023125002").pk)
    assert faked.use("find_my_appointments")["say"] == "I find no appointment for the number that you call from."


def test_a_hidden_number_is_asked_for_and_a_bad_one_is_refused(garage: tuple[Organization, Call]) -> None:
    assert garage[1].agent is not None
    phone = Phone(make_call(garage[1].agent, caller_number="anonymous").pk)
    assert chosen(phone)["draft"]["missing"] == ["At what number can we reach you?"]
    assert not phone.use("choose_appointment", customer_number="12")["ok"]
    assert (
        phone.use("choose_appointment", customer_number="0151 12345678")["draft"]["customer_number"] == "+4915112345678"
    )
    assert "cannot see the number" in phone.use("find_my_appointments")["say"]


def test_an_unknown_or_ambiguous_service_is_asked_back(garage: tuple[Organization, Call], phone: Phone) -> None:
    make_service(garage[0], "Tire change front", position=5)
    make_service(garage[0], "Tire change rear", position=6)
    assert phone.use("find_appointment_times", service="tire change")["say"] == (
        "Which one do you mean: Tire change front or Tire change rear?"
    )
    assert phone.use("find_appointment_times", service="haircut")["say"].startswith("We do not offer “haircut”.")
    assert phone.use("choose_appointment", time="Friday at 9")["say"] == "What shall we do for you?"
    assert phone.use("read_back_appointment")["say"] == "What shall we do for you?"
    assert phone.use("book_appointment")["say"] == "What shall we do for you?"


def test_services_are_looked_up_with_price_and_duration(phone: Phone) -> None:
    assert phone.use("look_up_services", query="oil")["say"] == "Oil change costs 89 euros 90 and takes 30 minutes."
    assert phone.use("look_up_services", query="brakes")["say"] == "Brake repair has no fixed price and takes 2 hours."
    assert phone.use("look_up_services", query="")["say"] == "We have Oil change, Inspection or Brake repair."
    assert not phone.use("look_up_services", query="haircut")["ok"]


def test_own_appointments_are_found_by_the_number_that_calls(garage: tuple[Organization, Call], phone: Phone) -> None:
    booked(phone)
    agent = garage[1].agent
    assert agent is not None
    again = Phone(make_call(agent).pk)
    found = again.use("find_my_appointments")
    assert found["say"] == "You have Oil change on Friday, December 4 at 9 am."
    assert found["appointments"][0]["appointment"] == 1
    stranger = Phone(make_call(agent, caller_number="+4915112345699").pk)
    assert stranger.use("find_my_appointments")["say"] == "I find no appointment for the number that you call from."


@pytest.mark.parametrize(
    ("tool", "arguments"), [("move_appointment", {"time": "Friday at 10"}), ("cancel_appointment", {})]
)
def test_what_a_person_changes_in_the_same_second_lets_the_tool_begin_again(
    garage: tuple[Organization, Call],
    phone: Phone,
    monkeypatch: pytest.MonkeyPatch,
    tool: str,
    arguments: dict[str, str],
) -> None:
    booked(phone)
    assert garage[1].agent is not None
    again = Phone(make_call(garage[1].agent).pk)
    again.use(tool, appointment=1, **arguments)
    again.speaks()
    reads: list[int] = []

    def found_and_then_changed(call: Call, number: int, now: dt.datetime) -> Appointment:
        """As if another transaction were committed between reading the row and changing it."""
        appointment = find_own(call, number, now)
        reads.append(appointment.version)
        if len(reads) == 1:
            appointment.version -= 1
        return appointment

    monkeypatch.setattr(confirmed, "find_own", found_and_then_changed)
    assert again.use(tool, appointment=1, **arguments)["done"] is True
    assert len(reads) == 2


def test_an_appointment_is_moved_after_the_caller_has_agreed(garage: tuple[Organization, Call], phone: Phone) -> None:
    booked(phone)
    agent = garage[1].agent
    assert agent is not None
    again = Phone(make_call(agent).pk)
    asked = again.use("move_appointment", appointment=1, time="Friday at 10")
    assert (asked["ok"], asked["done"]) == (True, False)
    assert asked["say"] == (
        "I move Oil change on Friday, December 4 at 9 am to Friday, December 4 at 10 am. Is that right?"
    )
    assert again.use("move_appointment", appointment=1, time="Friday at 10")["done"] is False
    again.speaks()
    moved = again.use("move_appointment", appointment=1, time="Friday at 10")
    assert (moved["done"], moved["say"]) == (
        True, "Oil change is moved to Friday, December 4 at 10 am. The appointment number is 1.")  # fmt: skip
    again.speaks()
    assert again.use("move_appointment", appointment=1, time="Friday at 10") == moved
    asked = again.use("move_appointment", appointment=1, time="Friday at 11")
    assert asked["done"] is False
    appointment = Appointment.objects.get()
    assert appointment.starts_at == dt.datetime(2026, 12, 4, 9, 0, tzinfo=dt.UTC)
    assert OutboxMessage.objects.filter(event="appointment.moved").count() == 1
    assert CallEvent.objects.get(kind="appointment_moved").call_id == again.call_id


def test_an_appointment_is_canceled_after_the_caller_has_agreed(phone: Phone) -> None:
    booked(phone)
    asked = phone.use("cancel_appointment", appointment=1)
    assert asked["say"] == "I cancel Oil change on Friday, December 4 at 9 am. Is that right?"
    assert Appointment.objects.get().state == AppointmentState.BOOKED
    phone.speaks()
    done = phone.use("cancel_appointment", appointment=1, reason="I am ill")
    assert (done["done"], done["say"]) == (True, "Oil change on Friday, December 4 at 9 am is canceled.")
    phone.speaks()
    assert phone.use("cancel_appointment", appointment=1) == done
    appointment = Appointment.objects.get()
    assert (appointment.state, appointment.cancel_reason) == (AppointmentState.CANCELED, "I am ill")
    assert not OccupiedSlot.objects.exists()
    assert OutboxMessage.objects.filter(event="appointment.canceled").count() == 1
    assert booked(phone)["appointment"] == 2


def test_another_ones_appointment_does_not_exist(garage: tuple[Organization, Call], phone: Phone) -> None:
    booked(phone)
    agent = garage[1].agent
    assert agent is not None
    other_garage, other_call = make_garage("Bobs Garage")
    strangers = [Phone(make_call(agent, caller_number="+4915112345699").pk), Phone(other_call.pk)]
    for stranger in strangers:
        for use in ({"name": "cancel_appointment"}, {"name": "move_appointment", "time": "Friday at 10"}):
            said = stranger.use(appointment=1, **use)
            missing = stranger.use(appointment=77, **use)
            assert (said["ok"], said["say"]) == (False, missing["say"])
    assert not other_garage.appointments.exists()
    assert Appointment.objects.get().version == 1


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("find_appointment_times", {}),
        ("find_appointment_times", {"service": 7}),
        ("find_appointment_times", {"service": "oil", "when": ["tomorrow"]}),
        ("choose_appointment", {"service": "oil", "start": "tomorrow"}),
        ("choose_appointment", {"service": "x" * 5000}),
        ("move_appointment", {"time": "Friday at 10"}),
        ("move_appointment", {"appointment": "1; drop", "time": "Friday at 10"}),
        ("move_appointment", {"appointment": -1, "time": "Friday at 10"}),
        ("move_appointment", {"appointment": 1}),
        ("cancel_appointment", {}),
        ("cancel_appointment", {"appointment": 10**30}),
        ("book_appointment", {"price": 0}),
    ],
)
def test_what_the_model_must_not_send_is_refused_with_a_sentence(
    phone: Phone, name: str, arguments: dict[str, object]
) -> None:
    said = phone.use(name, "", **arguments)
    assert not said["ok"]
    assert said["say"].endswith((".", "?"))
    assert not Appointment.objects.exists()


def test_the_briefing_has_the_services_the_rules_and_today(garage: tuple[Organization, Call]) -> None:
    instructions = brief(garage[1]).instructions
    assert (
        "## Services (prices in EUR)\n"
        "SERVICE Oil change | said: oil service, new oil | takes: 30 minutes | price: 89.90\n"
        "SERVICE Inspection | takes: 1 hour | price: 120.00\n"
        "SERVICE Brake repair | takes: 2 hours"
    ) in instructions
    assert "## How to make an appointment" in instructions
    assert "Now it is Tuesday, December 1, 10 am." in instructions
    assert "## Menu" not in instructions
    assert {"Oil change", "new oil"} <= set(brief(garage[1]).keywords)


def test_items_are_looked_up_only_where_there_are_some(garage: tuple[Organization, Call]) -> None:
    def tools() -> set[str]:
        return {tool["name"] for tool in brief(garage[1]).tools}

    assert "look_up_items" not in tools()
    make_menu(garage[0])
    assert {"look_up_items", "look_up_services"} <= tools()


def test_without_services_there_are_no_appointment_tools(garage: tuple[Organization, Call]) -> None:
    Service.objects.update(is_active=False)
    briefing = brief(garage[1])
    assert not {tool["name"] for tool in briefing.tools} & set(APPOINTMENT_TOOLS)
    assert "Appointments are not made on the phone now." in briefing.instructions
    assert not Phone(garage[1].pk).use("look_up_services", query="oil")["ok"]


def test_a_restaurants_agent_has_none_of_them() -> None:
    _, call = make_restaurant()
    assert "appointment" not in brief(call).instructions
    assert Phone(call.pk).use("book_appointment")["say"] == "I cannot do that on this line."
    assert timezone.now() == NOW
