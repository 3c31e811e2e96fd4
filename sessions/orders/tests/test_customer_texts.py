"""The customer is texted about an order that is ready or refused: once, and not after an undo."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import timezone
from pytest_django import Settings

from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from sessions.messages.texts.models import OptOut, Text, TextSettings, TextState
from sessions.messages.texts.reasons import TextReason
from sessions.messages.texts.services.queueing import TOPIC
from sessions.moves import HELD_FOR
from sessions.orders.models import Order, OrderEvent, OrderState
from sessions.orders.services.customer_texts import was_texted
from sessions.orders.services.states import move_order, undo_move
from voiceapp.simulators.tests.in_thread import in_thread
from voiceapp.simulators.twilio import TwilioSimulator

from .test_alarms import placed

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]


@pytest.fixture(scope="module")
def simulator() -> Iterator[TwilioSimulator]:
    with in_thread(TwilioSimulator(account_sid="AC" + "e" * 32, auth_token="token-of-orders")) as simulator:
        yield simulator


@pytest.fixture
def order(simulator: TwilioSimulator, settings: Settings) -> Order:
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = "AC" + "e" * 32, "token-of-orders"
    settings.TWILIO_BASE_URL = simulator.base_url
    settings.PUBLIC_BASE_URL = "http://127.0.0.1:9"
    order = placed()
    TextSettings.objects.create(organization=order.organization, tells_ready=True, tells_refused=True)
    return order


def undo(order: Order) -> None:
    undo_move(order, event_id=OrderEvent.objects.latest("id").pk)


def send() -> None:
    """Half a minute later."""
    OutboxMessage.objects.filter(topic=TOPIC).update(due_at=timezone.now())
    outbox.process_due([TOPIC])


def test_a_ready_order_is_texted_once_after_the_time_in_which_it_can_be_undone(order: Order) -> None:
    move_order(order, to=OrderState.READY)
    text = Text.objects.get()
    assert (text.kind, text.number, text.call) == ("order_ready", order.customer_number, order.call)
    assert f"order No. {order.number} is ready" in text.body
    assert text.due_at - text.created_at >= HELD_FOR * 0.9
    outbox.process_due([TOPIC])
    text.refresh_from_db()
    assert text.state == TextState.WAITING
    move_order(order, to=OrderState.DONE)  # a quick customer
    send()
    text.refresh_from_db()
    assert (text.state, was_texted(order, OrderState.READY)) == (TextState.SENT, True)


def test_what_is_undone_in_time_is_not_sent_and_what_is_done_again_is_sent_once(order: Order) -> None:
    move_order(order, to=OrderState.READY)
    undo(order)
    send()
    text = Text.objects.get()
    assert (text.state, text.reason) == (TextState.NOT_SENT, TextReason.CHANGED)
    move_order(order, to=OrderState.READY)
    assert Text.objects.get().state == TextState.WAITING
    send()
    assert Text.objects.get().state == TextState.SENT
    assert was_texted(order, OrderState.READY)


def test_a_refusal_is_texted_without_the_words_of_the_kitchen(order: Order) -> None:
    move_order(order, to=OrderState.REFUSED, reason="The oven is broken again")
    text = Text.objects.get()
    assert text.kind == "order_refused"
    assert "cannot make your order" in text.body
    assert "oven" not in text.body


def test_nothing_is_texted_where_it_is_not_wanted(order: Order) -> None:
    OptOut.objects.create(organization=order.organization, number=order.customer_number)
    move_order(order, to=OrderState.ACCEPTED)
    assert Text.objects.count() == 0
    move_order(order, to=OrderState.READY)
    text = Text.objects.get()
    assert (text.state, text.reason) == (TextState.NOT_SENT, TextReason.OPTED_OUT)
    TextSettings.objects.update(tells_refused=False)
    move_order(order, to=OrderState.CANCELED, reason="Nobody came")
    assert Text.objects.count() == 1


def test_a_delivery_that_is_ready_is_on_its_way(order: Order) -> None:
    Order.objects.update(is_delivery=True)
    move_order(Order.objects.get(), to=OrderState.READY)
    text = Text.objects.get()
    assert text.kind == "order_on_its_way"
    assert f"order No. {order.number} is on its way" in text.body
    undo(order)
    send()
    assert Text.objects.get().reason == TextReason.CHANGED
