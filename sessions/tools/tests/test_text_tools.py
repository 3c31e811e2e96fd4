"""The tool that texts the caller: known kinds, the number of the call, one text however often it is called."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings

from agents.organizations.models import Organization
from agents.tests.builders import make_agent
from sessions.calls.models import Call
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from sessions.messages.texts.kinds import TextKind
from sessions.messages.texts.models import OptOut, Text, TextSettings, TextState
from sessions.messages.texts.reasons import TextReason
from sessions.messages.texts.services.queueing import TOPIC as TEXT_TOPIC
from sessions.messages.texts.services.statuses import note_status
from sessions.orders.models import Order
from sessions.tests.builders import Phone, make_call, make_restaurant
from sessions.tools.briefing import brief
from telephony.twilio.models import PhoneNumber

pytestmark = pytest.mark.django_db
MENU = "https://alice.example.com/menu"
ON_ITS_WAY = {"ok": True, "say": "The text message is on its way to your phone."}


@pytest.fixture
def restaurant(settings: Settings) -> tuple[Organization, Call]:
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = "AC" + "1" * 32, "token"
    organization, call = make_restaurant()
    PhoneNumber.objects.create(organization=organization, number="+4930123456")
    TextSettings.objects.create(organization=organization, menu_url=MENU)
    return organization, call


@pytest.fixture
def phone(restaurant: tuple[Organization, Call]) -> Phone:
    return Phone(restaurant[1].pk)


def order_something(phone: Phone) -> dict[str, Any]:
    phone.add("Tiramisu", quantity=2)
    return phone.agrees()


def test_the_menu_goes_to_the_callers_own_number(phone: Phone, restaurant: tuple[Organization, Call]) -> None:
    assert phone.use("send_text", about="menu") == ON_ITS_WAY
    text = Text.objects.get()
    assert (text.number, text.kind, text.call) == (restaurant[1].caller_number, TextKind.MENU_LINK, restaurant[1])
    assert text.body == f"Trattoria Alice: Here is our menu: {MENU}"


def test_however_often_it_is_called_one_text_is_sent(phone: Phone) -> None:
    for turn in range(50):
        phone.turns = turn
        assert phone.use("send_text", about="menu")["ok"]
    assert (Text.objects.count(), OutboxMessage.objects.count()) == (1, 1)


@pytest.mark.parametrize("arguments", [
    {}, {"about": "anything"}, {"about": "menu", "to": "+4915199999999"}, {"about": "menu", "body": "Win a prize"},
    {"about": ["menu"]}, {"about": None},
])  # fmt: skip
def test_the_model_chooses_neither_number_nor_words(phone: Phone, arguments: dict[str, Any]) -> None:
    assert phone.use("send_text", **arguments)["ok"] is False
    assert not Text.objects.exists()


def test_an_order_is_texted_once_whether_confirmed_or_requested(
    phone: Phone, restaurant: tuple[Organization, Call]
) -> None:
    assert phone.use("send_text", about="order")["say"] == "There is no order yet that I could text you."
    TextSettings.objects.update(confirms_orders=True)
    answer = order_something(phone)
    assert answer["text"] == ON_ITS_WAY["say"]
    text = Text.objects.get()
    assert text.body.startswith("Trattoria Alice: Order No. 1: 2 x Tiramisu. Total 11.00 EUR.")
    assert text.about == str(Order.objects.get().pk)
    assert phone.use("send_text", about="order") == ON_ITS_WAY
    assert Text.objects.count() == 1


def test_orders_are_not_confirmed_unless_the_organization_wants_it(phone: Phone) -> None:
    assert "text" not in order_something(phone)
    assert not Text.objects.exists()


def test_a_changed_order_is_confirmed_anew(phone: Phone) -> None:
    TextSettings.objects.update(confirms_orders=True)
    order_something(phone)
    phone.add("Panna cotta")
    phone.agrees()
    assert [each.body.split(":")[1] for each in Text.objects.order_by("created_at")] == [
        " Order No. 1", " Order No. 2",
    ]  # fmt: skip


def test_the_text_of_an_order_that_was_replaced_before_it_was_sent_stays_here(phone: Phone, settings: Settings) -> None:
    settings.TWILIO_BASE_URL = "http://127.0.0.1:9"
    TextSettings.objects.update(confirms_orders=True)
    order_something(phone)
    phone.add("Panna cotta")
    phone.agrees()
    outbox.process_due([TEXT_TOPIC])
    states = [(each.state, each.reason) for each in Text.objects.order_by("created_at")]
    assert states == [(TextState.NOT_SENT, TextReason.CHANGED), (TextState.WAITING, "")]


@pytest.mark.parametrize(("number", "say"), [
    ("anonymous", "I do not see your number, so I cannot send you a text message."),
    ("sip:alice@example.com", "I do not see your number, so I cannot send you a text message."),
    ("+4930999999", "Your number is a landline, and text messages do not reach it."),
    ("+33612345678", "I cannot send text messages to numbers of your country."),
])  # fmt: skip
def test_why_no_text_can_be_sent_is_told_at_once(restaurant: tuple[Organization, Call], number: str, say: str) -> None:
    assert restaurant[1].agent is not None
    call = make_call(restaurant[1].agent, caller_number=number)
    answer = Phone(call.pk).use("send_text", about="menu")
    assert (answer["ok"], answer["say"]) == (False, say)
    assert Text.objects.get().state == TextState.NOT_SENT
    assert call.events.filter(kind="text_not_sent").exists()
    TextSettings.objects.update(confirms_orders=True)
    assert order_something(Phone(call.pk))["text"] == say


def test_an_opt_out_is_told_and_start_takes_it_back(phone: Phone, restaurant: tuple[Organization, Call]) -> None:
    number = restaurant[1].caller_number
    OptOut.objects.create(organization=restaurant[0], number=number)
    assert "text START" in phone.use("send_text", about="menu")["say"]
    OptOut.objects.update(is_out=False)
    assert phone.use("send_text", about="menu") == ON_ITS_WAY
    assert Text.objects.get().state == TextState.WAITING


def test_what_has_become_of_the_text_is_told_when_asked_again(phone: Phone) -> None:
    phone.use("send_text", about="menu")
    sid, text = "SM" + "1" * 32, Text.objects.get()
    note_status(sid, "delivered", text_id=text.pk)
    assert phone.use("send_text", about="menu")["say"] == "You have the text message."


def test_a_failed_text_is_told_when_asked_again(phone: Phone) -> None:
    phone.use("send_text", about="menu")
    note_status("SM" + "1" * 32, "undelivered", text_id=Text.objects.get().pk, error_code=30006)
    assert (
        phone.use("send_text", about="menu")["say"] == "Your number is a landline, and text messages do not reach it."
    )


def test_without_a_link_there_is_no_menu_to_text(phone: Phone) -> None:
    TextSettings.objects.update(menu_url="")
    assert phone.use("send_text", about="menu")["say"].startswith("I cannot text you the menu")


def test_an_agent_is_offered_the_tool_only_while_texts_are_on(restaurant: tuple[Organization, Call]) -> None:
    organization, call = restaurant
    assert "send_text" in [tool["name"] for tool in brief(call).tools]
    assert "## Text messages" in brief(call).instructions
    TextSettings.objects.update(is_on=False)
    assert "send_text" not in [tool["name"] for tool in brief(call).tools]
    assert "## Text messages" not in brief(call).instructions
    TextSettings.objects.all().delete()
    older = make_agent(organization, name="Older", is_default=False, tools=["end_call"])
    assert "## Text messages" not in brief(make_call(older)).instructions
