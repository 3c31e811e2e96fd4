"""An order from the first wish to the confirmation, through the tools."""

from __future__ import annotations

import pytest

from sessions.calls.models import Call, ToolCall
from sessions.calls.outcomes import EndCall
from sessions.calls.topics import CallTopic, topics_of
from sessions.messages.models import OutboxMessage
from sessions.orders.models import Order
from sessions.tests.builders import Phone, make_restaurant

pytestmark = pytest.mark.django_db


def test_an_order_is_taken_read_back_submitted_and_announced() -> None:
    organization, call = make_restaurant()
    phone = Phone(call.pk)
    changed = phone.add("margheritas", size="large", quantity=2, modifiers=["extra cheese"])
    assert changed["ok"], changed
    assert changed["order"]["lines"] == [
        {
            "line": 1,
            "quantity": 2,
            "item": "Margherita",
            "size": "large",
            "modifiers": ["extra cheese"],
            "note": "",
            "price": "27.00",
        }
    ]
    assert (changed["order"]["subtotal"], changed["order"]["tax"], changed["order"]["total"]) == (
        "27.00",
        "2.70",
        "29.70",
    )
    read = phone.use("read_back_order")
    assert read["say"] == (
        "I have two large Margheritas with extra cheese. The total is 29 euros 70 with tax. Is that right?"
    )
    phone.speaks()
    submitted = phone.use("submit_order", customer_name="Ada")
    assert submitted["ok"], submitted
    assert submitted["say"] == "Your order number 1 is placed. The total is 29 euros 70."
    order = Order.objects.get()
    assert (order.number, order.total, order.customer_name, order.call_id) == (1, order.total, "Ada", call.pk)
    line = order.lines.get()
    assert [(modifier.group, modifier.name) for modifier in line.modifiers.all()] == [
        ("Crust", "thin crust"),
        ("Extras", "extra cheese"),
    ]
    message = OutboxMessage.objects.get()
    assert message.event == "order.submitted"
    assert message.body["data"]["total"] == "29.70"
    assert message.organization == organization
    phone.use("end_call")
    assert isinstance(phone.results[-1].then, EndCall)
    assert ToolCall.objects.filter(outcome="done").count() == 4
    assert topics_of(Call.objects.get(pk=call.pk).topics, "") == [CallTopic.ORDER]
