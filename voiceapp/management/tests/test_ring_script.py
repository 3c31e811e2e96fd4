"""Scripts of the simulated phone, and the comparison of orders and appointments with the expected ones."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from agents.organizations.models import Organization
from sessions.appointments.models import Appointment
from sessions.appointments.services.booking import Customer, Origin, book_appointment
from sessions.messages.texts.models import Text
from sessions.tests.builders import make_garage, make_restaurant
from telephony.twilio.models import PhoneNumber
from telephony.twilio.transfers.models import Transfer, TransferState
from voiceapp.management.commands.ring import DEMO, GARAGE, callers_of, forget_earlier, number_to_call
from voiceapp.management.ringing.script import (
    ExpectedAppointment,
    ExpectedLine,
    ScriptError,
    parse_script,
    read_script,
)
from voiceapp.management.ringing.verdict import Outcome, appointment_differences, differences


def test_the_demo_script_is_played_with_a_modifier_an_interruption_and_a_correction() -> None:
    script = read_script(DEMO)
    assert any(isinstance(step, dict) and "interrupt_after_ms" in step for step in script.steps)
    assert script.expected is not None
    assert any(line.modifiers for line in script.expected)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ([], "an object"),
        ({"steps": {}}, "a list"),
        ({"steps": [], "x": 1}, "not x"),
        ({"steps": [], "expect": []}, "expect"),
        ({"steps": [], "expect": {"order": [{"quantity": 1}]}}, "item"),
        ({"steps": [], "expect": {"order": [{"item": "a", "quantity": "2"}]}}, "whole"),
    ],
)
def test_a_wrong_script_is_refused_with_a_sentence(content: object, says: str) -> None:
    with pytest.raises(ScriptError, match=says):
        parse_script(content)


def test_a_file_that_is_no_json_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "script.json"
    path.write_text("[" * 100_000)
    with pytest.raises(ScriptError, match="is not JSON"):
        read_script(path)
    with pytest.raises(ScriptError, match="cannot be read"):
        read_script(tmp_path / "absent.json")


def test_the_order_of_modifiers_and_lines_does_not_matter() -> None:
    script = parse_script(
        json.loads('{"steps": [], "expect": {"order": [{"item": "A", "modifiers": ["y", "x"]}, {"item": "B"}]}}')
    )
    assert script.expected is not None
    assert differences(script.expected, [ExpectedLine("B"), ExpectedLine("A", modifiers=("x", "y"))]) == []


def test_a_missing_and_a_foreign_line_are_both_named() -> None:
    said = [ExpectedLine("Margherita", 2, "large")]
    ordered = [ExpectedLine("Margherita", 1, "large", ("olives",))]
    assert differences(said, ordered) == [
        "missing: 2 × large Margherita",
        "unexpected: 1 × large Margherita with olives",
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("typed", ["+493023125001", "030 23125001", "+49 (30) 231 25001"])
def test_the_number_to_call_is_typed_in_any_notation(typed: str) -> None:
    organization = Organization.objects.create(name="Alices", slug="alices", time_zone="Europe/Berlin")
    line = PhoneNumber.objects.create(organization=organization, number="+493023125001")
    assert number_to_call(typed) == line


def test_the_garages_script_expects_the_appointment_that_the_caller_asks_for() -> None:
    script = read_script(GARAGE)
    assert script.expected is None
    assert script.appointments is not None
    assert (script.appointments[0].service, f"{script.appointments[0].time:%H:%M}") == ("Oil change", "09:00")


@pytest.mark.parametrize(
    ("expected", "says"),
    [
        ({"service": "Oil change", "time": "09:00"}, "weekday"),
        ({"service": "Oil change", "weekday": "Thursday", "time": "nine"}, "like 09:00"),
        ({"service": "Oil change", "weekday": "thu", "time": "09:00"}, "is one of Monday"),
        ({"service": "Oil change", "weekday": "Thursday", "time": "09:00", "x": 1}, "may have"),
        (7, "has"),
    ],
)
def test_a_wrong_expected_appointment_is_refused_with_a_sentence(expected: object, says: str) -> None:
    with pytest.raises(ScriptError, match=says):
        parse_script({"steps": [], "expect": {"appointments": [expected]}})
    with pytest.raises(ScriptError, match="is a list"):
        parse_script({"steps": [], "expect": {"appointments": expected}})


@pytest.mark.django_db
def test_the_booked_appointment_is_compared_by_service_day_time_and_customer() -> None:
    organization = make_garage()[0]
    now = timezone.now()
    monday = now + dt.timedelta(days=7 - now.weekday())
    start = dt.datetime.combine(monday.date(), dt.time(9), organization.zone)
    service = organization.services.get(name="Oil change")
    booked = [book_appointment(service, start, Customer("alice miller", vehicle="Ford"), Origin(), now=now)]
    wanted = ExpectedAppointment("Oil change", "Monday", dt.time(9), customer_name="Alice Miller", vehicle="Ford")
    assert appointment_differences([wanted], booked) == []
    assert appointment_differences([], booked) == [
        f"unexpected: Oil change on Monday {start:%Y-%m-%d} 09:00 for alice miller, Ford"
    ]
    for other in (
        replace(wanted, service="Inspection"),
        replace(wanted, weekday="Tuesday"),
        replace(wanted, time=dt.time(9, 30)),
        replace(wanted, customer_name="Bob"),
        replace(wanted, within_days=-1),
    ):
        assert len(appointment_differences([other], booked)) == 2


@pytest.mark.django_db
def test_a_scripted_caller_begins_without_earlier_appointments_and_the_garage_is_called_by_its_name() -> None:
    organization, call = make_garage()
    line = PhoneNumber.objects.create(organization=organization, number="+493023125002")
    assert number_to_call("garage") == line
    now = timezone.now()
    start = dt.datetime.combine(now.date() + dt.timedelta(days=14 - now.weekday()), dt.time(9), organization.zone)
    service = organization.services.get(name="Oil change")
    appointment = book_appointment(service, start, Customer("Ada", call.caller_number), Origin(call), now=now)
    forget_earlier(line, call.caller_number)
    assert not Appointment.objects.filter(pk=appointment.pk).exists()
    assert not Text.objects.filter(kind="appointment_canceled").exists()


def test_the_garages_script_says_who_rings_what_the_person_does_and_what_comes_of_it() -> None:
    script = read_script(GARAGE)
    assert script.caller
    assert [behavior["behaves"] for behavior in script.phones.values()] == ["accept"]
    assert script.texts == ("appointment_confirmation",)
    assert script.transfer == "Service desk"
    assert script.what_is_expected == "appointment and text and transfer"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"steps": [], "from": 4930}, "from"),
        ({"steps": [], "phones": ["+493023125020"]}, "phones"),
        ({"steps": [], "expect": {"texts": "appointment_confirmation"}}, "a list"),
        ({"steps": [], "expect": {"transfer": ["Service desk"]}}, "transfer"),
    ],
)
def test_wrong_texts_phones_and_transfers_are_refused_with_a_sentence(content: object, says: str) -> None:
    with pytest.raises(ScriptError, match=says):
        parse_script(content)


def outcome(**parts: object) -> Outcome:
    nothing = Outcome(order=None, lines=(), appointments=(), texts=(), transfer=None, is_announced=False)
    return replace(nothing, **parts)  # type: ignore[arg-type]


def test_a_text_that_is_missing_and_one_too_many_are_named() -> None:
    script = parse_script({"steps": [], "expect": {"texts": ["appointment_confirmation"]}})
    wrong = outcome(texts=[("order_confirmation", "Your order…")]).differences(script)
    assert wrong == ["text did not arrive: appointment_confirmation", "unexpected text: order_confirmation"]
    assert outcome(texts=[("appointment_confirmation", "Booked…")]).differences(script) == []


def test_a_transfer_counts_once_the_person_has_heard_the_summary_and_talked() -> None:
    script = parse_script({"steps": [], "expect": {"transfer": "Service desk"}})
    talked = Transfer(name="Service desk", state=TransferState.TALKED)
    in_vain = Transfer(name="Service desk", state=TransferState.NOBODY)
    assert outcome(transfer=talked, is_announced=True).differences(script) == []
    assert outcome(transfer=talked).differences(script) == ["transfer: Service desk did not hear the summary"]
    assert "nobody took the call" in outcome(transfer=in_vain, is_announced=True).differences(script)[0]
    assert outcome().differences(script) == ["transfer: expected Service desk, got none"]
    nobody = parse_script({"steps": [], "expect": {"transfer": ""}})
    assert outcome().differences(nobody) == []
    assert outcome(transfer=talked).differences(nobody) == ["transfer: expected none, got Service desk"]


def test_several_calls_have_several_callers() -> None:
    assert callers_of("+4915112345678", 1) == ["+4915112345678"]
    assert callers_of("+4915112345678", 2) == ["+4915112345000", "+4915112345001"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"timeout": 0}, "--timeout takes 1 second or more"),
        ({"calls": 201}, "--calls takes 1 to 200"),
        ({"record": "/nowhere/call.wav"}, "there is no folder /nowhere"),
        ({}, r"The simulated phone at http://127\.0\.0\.1:9 does not respond. Is `make run` on\?"),
    ],
)
def test_a_call_that_cannot_be_placed_is_a_sentence(
    settings: Settings, options: dict[str, object], sentence: str
) -> None:
    make_restaurant()
    PhoneNumber.objects.create(number="+493012345678", organization=Organization.objects.get())
    settings.TWILIO_BASE_URL = "http://127.0.0.1:9"
    with pytest.raises(CommandError, match=sentence):
        call_command("ring", say=["Hello."], **options)
