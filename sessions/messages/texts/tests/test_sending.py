"""A queued text arrives at the phone once, whatever happens on its way."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections, transaction
from django.utils import timezone
from pytest_django import Settings

from agents.organizations.models import Organization
from agents.tests.builders import make_agent
from sessions.messages.models import OutboxMessage
from sessions.messages.texts.models import OptOut, Text, TextSettings, TextState
from sessions.messages.texts.reasons import TextReason
from sessions.messages.texts.services import sending
from sessions.tests.builders import make_call
from voiceapp.providers.twilio import client
from voiceapp.simulators.twilio import TwilioSimulator
from voiceapp.tests.dying import in_a_process_that_dies

from .conftest import Customer, becomes, later, queue, send

State = OutboxMessage.State
BODY = "Alice's Garage: Ihr Termin: Oil change, Thursday, 9:30 Uhr. Änderungen? Rufen Sie an: "


def test_a_text_arrives_and_its_delivery_is_reported(garage: Organization, customer: Customer) -> None:
    text = queue(garage, customer.number)
    assert (text.state, text.segments) == (TextState.WAITING, 1)
    assert send() == 1
    (body,) = customer.inbox(1, within_s=5)
    assert body.startswith(BODY)
    becomes(text, TextState.DELIVERED)
    assert (text.carrier_status, text.our_number) == ("delivered", customer.our_number)
    assert text.provider_sid
    assert text.provider_sid.startswith("SM")
    assert text.sent_at
    assert text.ended_at


def test_a_text_is_queued_once_per_key(garage: Organization, customer: Customer) -> None:
    first = queue(garage, customer.number, key="appointment:1")
    assert queue(garage, customer.number, key="appointment:1") == first
    assert queue(garage, customer.number, key="appointment:2") != first
    assert OutboxMessage.objects.count() == 2


def test_requests_at_once_with_one_key_queue_one_text(garage: Organization, customer: Customer) -> None:
    def work(_: int) -> str:
        try:
            return str(queue(garage, customer.number).pk)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(work, range(16)))) == 1
    assert (Text.objects.count(), OutboxMessage.objects.count()) == (1, 1)


def test_requests_at_once_do_not_pass_the_maximum(garage: Organization, customer: Customer) -> None:
    TextSettings.objects.create(organization=garage, most_per_number=3)

    def work(number: int) -> str:
        try:
            return queue(garage, customer.number, key=f"k{number}").state
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as threads:
        states = list(threads.map(work, range(24)))
    assert states.count(TextState.WAITING) == OutboxMessage.objects.count() == 3


def test_a_text_is_queued_with_the_transaction_or_not_at_all(garage: Organization, customer: Customer) -> None:
    with transaction.atomic():
        queue(garage, customer.number)
        transaction.set_rollback(True)
    assert (Text.objects.count(), OutboxMessage.objects.count()) == (0, 0)


def test_a_text_of_a_call_comes_from_the_number_that_was_called(garage: Organization, customer: Customer) -> None:
    second = garage.phone_numbers.create(number="+4915199999999")
    call = make_call(make_agent(garage), caller_number=customer.number, dialed_number=second.number)
    assert queue(garage, customer.number, call=call).our_number == second.number
    (event,) = call.events.all()
    assert (event.kind, event.detail["kind"]) == ("text_queued", "appointment_confirmation")
    assert customer.number not in str(event.detail)


def test_a_text_waits_until_it_is_due(garage: Organization, customer: Customer) -> None:
    queue(garage, customer.number, due_at=timezone.now() + dt.timedelta(hours=3))
    assert send() == 0
    later()
    assert send() == 1
    assert customer.inbox(1, within_s=5)


def test_a_text_that_is_too_late_is_not_sent(garage: Organization, customer: Customer) -> None:
    text = queue(garage, customer.number, not_after=timezone.now() - dt.timedelta(seconds=1))
    send()
    text.refresh_from_db()
    assert (text.state, text.reason) == (TextState.NOT_SENT, TextReason.TOO_LATE)
    assert customer.inbox() == []


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The product waits for no response, and believes at once that a text is not at the carrier."""
    monkeypatch.setattr(client, "RESPONSE_TIMEOUT_S", 0.3)
    monkeypatch.setattr(sending, "SETTLES_WITHIN_S", 0.0)


@pytest.fixture
def without_callbacks(settings: Settings) -> None:
    settings.PUBLIC_BASE_URL = "http://127.0.0.1:9"


def test_a_text_whose_response_was_lost_is_found_and_not_repeated(
    garage: Organization, customer: Customer, settings: Settings, simulator: TwilioSimulator,
    impatient: None, without_callbacks: None,
) -> None:  # fmt: skip
    text = queue(garage, customer.number)
    settings.TWILIO_BASE_URL = f"{simulator.base_url}/fault/rest_late=1000"
    assert send() == 0
    assert len(customer.inbox(1, within_s=5)) == 1
    settings.TWILIO_BASE_URL = simulator.base_url
    later()
    assert send() == 1
    assert len(customer.inbox(2, within_s=0.5)) == 1
    text.refresh_from_db()
    assert text.provider_sid
    assert text.state == TextState.DELIVERED


def test_a_text_whose_response_was_lost_is_found_by_its_callback(
    garage: Organization, customer: Customer, settings: Settings, simulator: TwilioSimulator, impatient: None
) -> None:
    text = queue(garage, customer.number)
    settings.TWILIO_BASE_URL = f"{simulator.base_url}/fault/rest_late=1000"
    assert send() == 0
    becomes(text, TextState.DELIVERED)
    settings.TWILIO_BASE_URL = "http://127.0.0.1:9"  # no request is answered any more
    later()
    assert send() == 1
    assert len(customer.inbox()) == 1


def test_another_text_with_the_same_words_is_not_taken_for_the_lost_one(
    garage: Organization, customer: Customer, settings: Settings, simulator: TwilioSimulator,
    impatient: None, without_callbacks: None,
) -> None:  # fmt: skip
    queue(garage, customer.number, key="first")
    assert send() == 1
    second = queue(garage, customer.number, key="second")
    settings.TWILIO_BASE_URL = f"{simulator.base_url}/fault/rest_500"
    assert send() == 0
    settings.TWILIO_BASE_URL = simulator.base_url
    later()
    assert send() == 1
    assert len(customer.inbox(2, within_s=5)) == 2
    second.refresh_from_db()
    assert second.state == TextState.SENT


def test_after_a_lost_response_the_carrier_gets_time_before_the_text_is_repeated(
    garage: Organization, customer: Customer, settings: Settings, simulator: TwilioSimulator
) -> None:
    queue(garage, customer.number)
    settings.TWILIO_BASE_URL = f"{simulator.base_url}/fault/rest_500"
    assert send() == 0
    settings.TWILIO_BASE_URL = simulator.base_url
    later()
    assert send() == 0
    message = OutboxMessage.objects.get()
    assert message.state == State.WAITING
    assert message.due_at > timezone.now() + dt.timedelta(seconds=8)
    assert "may still appear" in message.last_error
    Text.objects.update(sending_since=timezone.now() - dt.timedelta(minutes=1))
    later()
    assert send() == 1
    assert len(customer.inbox(1, within_s=5)) == 1


@pytest.mark.parametrize("point", [
    ("voiceapp.providers.twilio.messages:MessagesClient", "send_message", "before"),
    ("voiceapp.providers.twilio.messages:MessagesClient", "send_message", "after"),
    ("sessions.messages.texts.services.sending", "_keep", "after"),
    ("sessions.messages.outbox:outbox", "_attempt", "after"),
], ids="-".join)  # fmt: skip
def test_a_worker_killed_on_the_way_sends_the_text_once(
    point: tuple[str, str, str], garage: Organization, customer: Customer, impatient: None, without_callbacks: None
) -> None:
    text = queue(garage, customer.number)
    assert in_a_process_that_dies(send, point)
    later()
    send()
    assert len(customer.inbox(2, within_s=0.7)) == 1
    text.refresh_from_db()
    assert text.provider_sid
    assert OutboxMessage.objects.get().state == State.DONE


@pytest.mark.parametrize(("what", "code", "reason"), [
    ("landline", 21614, TextReason.LANDLINE),
    ("opted_out", 21610, TextReason.OPTED_OUT),
    ("invalid", 21211, TextReason.INVALID_NUMBER),
])  # fmt: skip
def test_what_the_carrier_refuses_has_failed_with_the_cause(
    garage: Organization, customer: Customer, what: str, code: int, reason: TextReason
) -> None:
    customer.receives(what)
    call = make_call(make_agent(garage), caller_number=customer.number)
    text = queue(garage, customer.number, call=call)
    assert send() == 1
    text.refresh_from_db()
    assert (text.state, text.reason, text.error_code) == (TextState.FAILED, reason, code)
    assert OptOut.objects.filter(number=customer.number, is_out=True).exists() == (what == "opted_out")
    assert call.events.get(kind="text_failed").detail["reason"] == reason
    assert OutboxMessage.objects.get().state == State.DONE


@pytest.mark.parametrize(("what", "code", "reason"), [
    ("landline_late", 30006, TextReason.LANDLINE),
    ("unregistered", 30034, TextReason.UNREGISTERED),
    ("unreachable", 30003, TextReason.UNREACHABLE),
    ("filtered", 30007, TextReason.FILTERED),
])  # fmt: skip
def test_what_is_not_delivered_has_failed_with_the_cause(
    garage: Organization, customer: Customer, settings: Settings, simulator: TwilioSimulator,
    what: str, code: int, reason: TextReason,
) -> None:  # fmt: skip
    settings.TWILIO_BASE_URL = f"{simulator.base_url}/fault/texts={what}"
    text = queue(garage, customer.number)
    assert send() == 1
    becomes(text, TextState.FAILED)
    assert (text.reason, text.error_code, text.carrier_status) == (reason, code, "undelivered")
    assert customer.inbox() == []


@pytest.mark.parametrize("fault", ["callbacks_doubled", "callbacks_reordered"])
def test_callbacks_that_come_twice_or_in_another_order_change_nothing(
    garage: Organization, customer: Customer, settings: Settings, simulator: TwilioSimulator, fault: str
) -> None:
    settings.TWILIO_BASE_URL = f"{simulator.base_url}/fault/{fault}"
    text = queue(garage, customer.number)
    send()
    becomes(text, TextState.DELIVERED)
    assert customer.inbox(1, within_s=5)
    text.refresh_from_db()
    assert text.carrier_status == "delivered"


def test_without_an_answer_of_the_carrier_the_text_has_failed(
    garage: Organization, customer: Customer, settings: Settings, impatient: None
) -> None:
    settings.TWILIO_BASE_URL = "http://127.0.0.1:9"
    text = queue(garage, customer.number)
    for _ in range(10):
        send()
        later()
    text.refresh_from_db()
    assert (text.state, text.reason) == (TextState.FAILED, TextReason.NO_RESPONSE)
    assert OutboxMessage.objects.get().state == State.FAILED
