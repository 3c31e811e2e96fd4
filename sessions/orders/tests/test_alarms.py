"""An order that nobody accepts alarms a person once, however often processes die."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import httpx
import pytest
from django.utils import timezone
from pytest_django import Settings

from agents.transfers.models import TransferTarget
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from sessions.messages.texts.models import Text, TextState
from sessions.messages.texts.tests.conftest import until
from sessions.orders.board import alarms
from sessions.orders.board.alarms import OUTCOME_TOPIC, TOPIC
from sessions.orders.board.models import AlarmState, BoardSettings, OrderAlarm
from sessions.orders.models import Order, OrderState
from sessions.orders.services.states import move_order
from sessions.tests.builders import Phone, make_restaurant
from telephony.twilio.models import PhoneNumber
from voiceapp.providers.twilio.client import TwilioClient
from voiceapp.simulators.tests.in_thread import in_thread
from voiceapp.simulators.twilio import TwilioSimulator

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

CHEF = "+4915112300001"
ACCOUNT_SID, AUTH_TOKEN = "AC" + "e" * 32, "auth-token-of-the-alarms"


def placed(**wishes: object) -> Order:
    """An order that a caller has placed, with these settings of its board."""
    organization, call = make_restaurant(country="DE")
    PhoneNumber.objects.create(organization=organization, number="+493012340001")
    if wishes:
        target = TransferTarget.objects.create(organization=organization, slug="chef", name="Chef", number=CHEF)
        BoardSettings.objects.create(organization=organization, alarm_target=target, **wishes)
    phone = Phone(call.pk)
    phone.add("Margherita")
    assert phone.agrees()["ok"]
    return Order.objects.get()


@pytest.fixture(scope="module")
def simulator() -> Iterator[TwilioSimulator]:
    with in_thread(TwilioSimulator(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN)) as simulator:
        yield simulator


@pytest.fixture(autouse=True)
def carrier(simulator: TwilioSimulator, settings: Settings) -> None:
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = ACCOUNT_SID, AUTH_TOKEN
    settings.TWILIO_BASE_URL = simulator.base_url


def work(*topics: str) -> None:
    """What a worker does once the time has passed."""
    OutboxMessage.objects.update(due_at=timezone.now(), lease_expires_at=None)
    outbox.process_due(topics)


def calls() -> int:
    return len(TwilioClient.from_settings().find_calls(to=CHEF, since=timezone.now() - dt.timedelta(hours=1)))


def test_a_person_is_called_once_when_the_worker_dies_after_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    order, before = placed(alarm_after_s=60), calls()
    with monkeypatch.context() as death:
        death.setattr(alarms, "_placed", lambda *_: 1 / 0)
        work(TOPIC)
    assert (OrderAlarm.objects.get().call_sid, calls()) == (None, before + 1)
    for _ in range(3):
        work(TOPIC)
    alarm = OrderAlarm.objects.get()
    assert (alarm.state, alarm.order, calls()) == (AlarmState.RINGING, order, before + 1)
    TwilioClient.from_settings().hang_up(alarm.call_sid or "")
    work(OUTCOME_TOPIC)
    alarm.refresh_from_db()
    assert alarm.state in (AlarmState.ANSWERED, AlarmState.NOT_ANSWERED)
    assert not OutboxMessage.objects.filter(topic__in=[TOPIC, OUTCOME_TOPIC], state="waiting").exists()


def test_a_voicemail_is_nobody_who_has_heard_of_it(simulator: TwilioSimulator) -> None:
    httpx.put(f"{simulator.base_url}/local/numbers/{CHEF}", json={"behaves": "voicemail"}).raise_for_status()
    order = placed(alarm_after_s=60)
    try:
        work(TOPIC)
        call = TwilioClient.from_settings()
        sid = OrderAlarm.objects.get().call_sid or ""
        until(lambda: call.fetch_call(sid).status == "in-progress")
        call.hang_up(sid)
        work(OUTCOME_TOPIC)
    finally:
        httpx.put(f"{simulator.base_url}/local/numbers/{CHEF}", json={"answers": "yes"}).raise_for_status()
    alarm = OrderAlarm.objects.get(order=order)
    assert (alarm.state, alarm.failure) == (AlarmState.NOT_ANSWERED, alarms.VOICEMAIL)


def test_an_order_that_was_accepted_in_time_alarms_nobody() -> None:
    order, before = placed(alarm_after_s=60), calls()
    message = OutboxMessage.objects.get(topic=TOPIC)
    assert dt.timedelta(seconds=55) < message.due_at - timezone.now() <= dt.timedelta(seconds=60)
    move_order(order, to=OrderState.ACCEPTED)
    work(TOPIC)
    assert (OrderAlarm.objects.count(), calls()) == (0, before)


def test_without_the_setting_nothing_is_scheduled() -> None:
    placed()
    assert not OutboxMessage.objects.filter(topic=TOPIC).exists()


def test_the_alarm_is_a_text_where_the_organization_wants_that() -> None:
    order = placed(alarm_after_s=60, alarm_by="text")
    work(TOPIC)
    work(TOPIC)
    text = Text.objects.get()
    assert (text.number, text.state, OrderAlarm.objects.get().state) == (CHEF, TextState.WAITING, AlarmState.TEXTED)
    assert f"Bestellung {order.number} " in text.body
    move_order(order, to=OrderState.ACCEPTED)
    work("text.send")
    assert Text.objects.get().state == TextState.NOT_SENT


def test_a_number_that_may_not_be_called_is_named_on_the_board() -> None:
    placed(alarm_after_s=60)
    TransferTarget.objects.update(number="+12125550100")
    work(TOPIC)
    alarm = OrderAlarm.objects.get()
    assert (alarm.state, "another country" in alarm.failure) == (AlarmState.FAILED, True)
