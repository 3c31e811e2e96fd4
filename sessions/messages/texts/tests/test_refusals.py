"""Texts that are not sent: unwanted numbers, and the maximum per number and day."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone
from pytest_django import Settings

from agents.organizations.models import Organization
from agents.tests.builders import make_agent, make_organization
from sessions.calls.models import Call, CallCommand, CallState
from sessions.messages.models import OutboxMessage
from sessions.messages.texts.models import OptOut, Text, TextSettings, TextState
from sessions.messages.texts.reasons import EXPLANATIONS, TextReason, reason_of
from sessions.messages.texts.services.checking import number_of
from sessions.messages.texts.services.resending import may_resend, resend
from sessions.messages.texts.services.statuses import note_status
from sessions.tests.builders import make_call

from .conftest import make_garage, new_number, queue, send

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("account")]
R = TextReason


def reason_for(number: str, organization: Organization) -> str:
    text = queue(organization, number)
    assert (text.state == TextState.NOT_SENT) == bool(text.reason)
    assert OutboxMessage.objects.count() == (0 if text.reason else 1)
    return text.reason


@pytest.mark.parametrize(("number", "reason"), [
    ("+4915112345678", ""),
    ("", R.NO_NUMBER),
    ("+4930123456", R.LANDLINE),
    ("+33612345678", R.OTHER_COUNTRY),
    ("+14155550100", R.OTHER_COUNTRY),
    ("+499001234567", R.INVALID_NUMBER),
    ("+881612345678", R.INVALID_NUMBER),
    ("sip:alice@example.com", R.INVALID_NUMBER),
    ("+266696687", R.INVALID_NUMBER),
])  # fmt: skip
def test_what_a_number_shows_is_known_before_anything_is_sent(number: str, reason: str) -> None:
    assert reason_for(number, make_garage()) == reason


def test_an_organization_without_a_country_texts_those_of_its_own_numbers_only() -> None:
    garage = make_garage()
    garage.country, garage.time_zone, garage.currency = "", "UTC", "EUR"
    assert garage.region == ""
    assert reasons(garage, [new_number(), "+881612345678", "+33612345678"]) == ["", R.INVALID_NUMBER, R.OTHER_COUNTRY]


def test_other_countries_are_served_where_they_are_entered() -> None:
    garage = make_garage()
    TextSettings.objects.create(organization=garage, countries="DE, US")
    assert reason_for("+14155550100", garage) == ""
    assert queue(garage, "+18765551234", key="jamaica").reason == R.OTHER_COUNTRY


def test_a_garage_does_not_text_itself() -> None:
    garage = make_garage(number="+4915111111111")
    assert reason_for("+4915111111111", garage) == R.INVALID_NUMBER


def test_without_a_number_of_its_own_an_organization_cannot_send() -> None:
    assert reason_for("+4915112345678", make_organization("Alice's Garage")) == R.NO_SENDER


def test_a_messaging_service_needs_no_number() -> None:
    organization = make_organization("Alice's Garage")
    TextSettings.objects.create(organization=organization, messaging_service_sid="MG" + "1" * 32)
    assert reason_for("+4915112345678", organization) == ""


def test_without_an_account_nothing_is_sent(settings: Settings) -> None:
    settings.TWILIO_ACCOUNT_SID = ""
    assert reason_for("+4915112345678", make_garage()) == R.NOT_CONFIGURED


def test_texts_can_be_turned_off() -> None:
    garage = make_garage()
    TextSettings.objects.create(organization=garage, is_on=False)
    assert reason_for("+4915112345678", garage) == R.OFF


def test_an_opt_out_by_an_operator_counts() -> None:
    garage = make_garage()
    OptOut.objects.create(organization=garage, number="+4915112345678")
    assert reason_for("+4915112345678", garage) == R.OPTED_OUT


def reasons(garage: Organization, numbers: list[str], **more: object) -> list[str]:
    start = Text.objects.count()
    return [queue(garage, number, key=f"k{start + at}", **more).reason for at, number in enumerate(numbers)]


def test_a_number_gets_only_so_many_a_day() -> None:
    garage, number = make_garage(), new_number()
    TextSettings.objects.create(organization=garage, most_per_number=2)
    assert reasons(garage, [number] * 4) == ["", "", R.NUMBER_CAP, R.NUMBER_CAP]
    assert reasons(garage, [new_number()]) == [""]
    assert reasons(garage, [number], due_at=timezone.now() + dt.timedelta(days=2)) == [""]


def test_an_organization_sends_only_so_many_a_day() -> None:
    garage = make_garage()
    TextSettings.objects.create(organization=garage, most_per_day=3)
    assert reasons(garage, [new_number() for _ in range(5)]) == ["", "", "", R.DAY_CAP, R.DAY_CAP]
    assert reasons(make_garage("Charlie's Garage"), [new_number()]) == [""]


def test_the_servers_maximum_holds_whatever_is_entered(settings: Settings) -> None:
    settings.MAX_TEXTS_PER_NUMBER, settings.MAX_TEXTS_PER_DAY = 1, 2
    garage, number = make_garage(), new_number()
    TextSettings.objects.create(organization=garage, most_per_number=1000, most_per_day=1000)
    assert reasons(garage, [number, number, new_number(), new_number()]) == ["", R.NUMBER_CAP, "", R.DAY_CAP]


def failed(garage: Organization, number: str, code: int, key: str = "failed") -> None:
    note_status(f"SM{code}", "undelivered", text_id=queue(garage, number, key=key).pk, error_code=code)


@pytest.mark.parametrize(("code", "reason"), [(30006, R.LANDLINE), (21211, R.INVALID_NUMBER), (30003, "")])
def test_what_a_text_has_shown_of_a_number_is_known_to_the_next(code: int, reason: str) -> None:
    garage, number = make_garage(), new_number()
    failed(garage, number, code)
    assert reasons(garage, [number, new_number()]) == [reason, ""]
    assert reasons(make_garage("Charlie's Garage"), [number]) == [""]


@pytest.mark.parametrize("code", [30034, 21606, 21408])
def test_a_refused_sender_is_known_in_that_country_for_an_hour(code: int) -> None:
    garage = make_garage()
    TextSettings.objects.create(organization=garage, countries="DE, US")
    failed(garage, new_number(), code)
    reason = reason_of(code)
    assert reasons(garage, [new_number(), "+14155550100"]) == [reason, ""]
    Text.objects.filter(key="failed").update(ended_at=timezone.now() - dt.timedelta(minutes=61))
    assert reasons(garage, [new_number()]) == [""]


def test_a_sender_that_has_delivered_since_is_not_refused() -> None:
    garage = make_garage()
    earlier = queue(garage, new_number(), key="delivered")
    failed(garage, new_number(), 30034)
    assert reasons(garage, [new_number()]) == [R.UNREGISTERED]
    note_status("SM1", "delivered", text_id=earlier.pk)
    assert reasons(garage, [new_number()]) == [""]


def many_failed(garage: Organization, count: int, code: int = 30003) -> None:
    for at in range(count):
        failed_text = queue(garage, new_number(), key=f"pumped {at}")
        note_status(f"SM{code}{at}", "undelivered", text_id=failed_text.pk, error_code=code)


def test_texts_are_paused_while_most_of_them_fail() -> None:
    garage = make_garage()
    many_failed(garage, 10)
    assert reasons(garage, [new_number()]) == [""]
    failed(garage, new_number(), 30005)
    assert reasons(garage, [new_number(), new_number()]) == [R.TOO_MANY_FAIL] * 2
    assert reasons(make_garage("Charlie's Garage"), [new_number()]) == [""]
    Text.objects.update(ended_at=timezone.now() - dt.timedelta(minutes=61))
    assert reasons(garage, [new_number()]) == [""]


def test_texts_that_wait_when_too_many_fail_are_not_sent_and_later_ones_stay() -> None:
    garage = make_garage()
    waiting = queue(garage, new_number(), key="waiting")
    many_failed(garage, 12)
    reminder = queue(garage, new_number(), key="reminder", due_at=timezone.now() + dt.timedelta(days=3))
    assert reminder.state == TextState.WAITING
    send()
    waiting.refresh_from_db()
    assert (waiting.state, waiting.reason) == (TextState.NOT_SENT, R.TOO_MANY_FAIL)
    reminder.refresh_from_db()
    assert reminder.state == TextState.WAITING


def test_a_reminder_of_next_week_does_not_fall_to_a_sender_that_is_refused_today() -> None:
    garage = make_garage()
    failed(garage, new_number(), 30034)
    later = timezone.now() + dt.timedelta(days=7)
    assert reasons(garage, [new_number()]) == [R.UNREGISTERED]
    assert queue(garage, new_number(), key="reminder", due_at=later).reason == ""


def test_texts_go_on_where_more_arrive_than_fail() -> None:
    garage = make_garage()
    for at in range(12):
        note_status(f"SMd{at}", "delivered", text_id=queue(garage, new_number(), key=f"arrived {at}").pk)
    many_failed(garage, 12)
    assert reasons(garage, [new_number()]) == [""]


@pytest.mark.parametrize("code", [30034, 21610, 20003])
def test_failures_that_are_no_fault_of_the_numbers_pause_nothing(code: int) -> None:
    garage = make_garage()
    TextSettings.objects.create(organization=garage, countries="DE, US")
    many_failed(garage, 12, code)
    assert reasons(garage, ["+14155550100"]) == [""]


def test_the_agent_of_the_call_gets_a_note_of_a_queued_text_that_is_not_sent() -> None:
    garage, number = make_garage(), new_number()
    call = make_call(make_agent(garage), caller_number=number, state=CallState.CONNECTED)
    queue(garage, number, call=call)
    OptOut.objects.create(organization=garage, number=number)
    assert send() == 1
    assert Text.objects.get().reason == R.OPTED_OUT
    assert [note.text for note in CallCommand.objects.all()] == [EXPLANATIONS[R.OPTED_OUT].say]
    assert "text_not_sent" in call.events.values_list("kind", flat=True)


def test_a_paused_text_can_be_sent_by_hand() -> None:
    garage = make_garage()
    many_failed(garage, 12)
    text = queue(garage, new_number(), key="mine")
    assert text.reason == R.TOO_MANY_FAIL
    assert may_resend(text)
    assert resend(text).state == TextState.WAITING


@pytest.mark.parametrize(("caller", "number"), [
    ("+4915112345678", "+4915112345678"),
    ("whatsapp:+4915112345678", "+4915112345678"),
    ("sip:+4915112345678@evil.example", ""),
    ("anonymous", ""),
])  # fmt: skip
def test_only_a_number_of_the_phone_network_is_texted(caller: str, number: str) -> None:
    assert number_of(Call(caller_number=caller)) == number


def test_every_reason_has_words_for_the_caller_and_the_operator() -> None:
    assert set(EXPLANATIONS) == set(TextReason)
    assert all(each.say and each.cause and each.fix for each in EXPLANATIONS.values())
