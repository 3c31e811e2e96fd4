"""From a submitted order to the signed post at the organization's address."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.utils import timezone
from pytest_django import Settings

from agents.organizations.models import Organization
from sessions import tasks
from sessions.handlers import order_post_body, register_all
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from sessions.tests.builders import Phone, make_restaurant
from voiceapp.providers import orders_receiver
from voiceapp.providers.orders_receiver import OrdersReceiver

pytestmark = pytest.mark.django_db


def submit_one(**values: object) -> Organization:
    organization, call = make_restaurant(**values)  # type: ignore[arg-type]
    phone = Phone(call.pk)
    phone.add("Tiramisu")
    phone.agrees()
    return organization


def test_an_order_is_posted_to_its_organization_under_its_secret(posts: list[dict[str, object]]) -> None:
    organization = submit_one(orders_url="https://kitchen.example/orders", orders_secret="secret of alice")
    assert tasks.deliver_outbox("order.submitted") == 1
    message = OutboxMessage.objects.get()
    assert posts == [
        {
            "url": "https://kitchen.example/orders",
            "secret": "secret of alice",
            "message_id": str(message.message_id),
            "body": order_post_body(message),
        }
    ]
    body = json.loads(order_post_body(message))
    assert (body["type"], body["messageId"]) == ("order.submitted", str(message.message_id))
    assert (body["order"]["orgId"], body["order"]["total"]) == (str(organization.pk), "5.50")
    assert body["order"]["createdAt"].endswith("Z")


def test_a_replacing_order_says_so(posts: list[dict[str, object]]) -> None:
    _, call = make_restaurant(orders_url="https://kitchen.example/orders")
    phone = Phone(call.pk)
    for item in ("Tiramisu", "Panna cotta"):
        phone.add(item)
        phone.agrees()
    assert tasks.sweep_outbox() == 2
    bodies = [json.loads(post["body"]) for post in posts]  # type: ignore[arg-type]
    assert [body["type"] for body in bodies] == ["order.submitted", "order.replaced"]
    assert bodies[1]["order"]["replaces"] == {"id": bodies[0]["order"]["id"], "number": 1}


def test_without_an_address_nothing_is_delivered_and_nothing_says_so(posts: list[dict[str, object]]) -> None:
    submit_one()
    assert tasks.sweep_outbox() == 0
    assert posts == []
    message = OutboxMessage.objects.get()
    assert (message.state, message.done_at) == (OutboxMessage.State.UNCONFIGURED, None)
    assert message.last_error == "No order webhook URL is set on the organization's page."


def test_a_failing_delivery_is_not_done_once_the_address_is_blank(posts: list[dict[str, object]]) -> None:
    organization = submit_one(orders_url="https://kitchen.example/orders")
    OutboxMessage.objects.update(last_error="the order webhook returns 500", attempts=3)
    Organization.objects.filter(pk=organization.pk).update(orders_url="")
    tasks.sweep_outbox()
    message = OutboxMessage.objects.get()
    assert (message.state, message.state_label) == (OutboxMessage.State.UNCONFIGURED, "Not configured")
    assert message.last_error.endswith("The last attempt: the order webhook returns 500")
    Organization.objects.filter(pk=organization.pk).update(orders_url="https://kitchen.example/orders")
    assert outbox.retry(OutboxMessage.objects.all()) == 1
    assert (tasks.sweep_outbox(), len(posts)) == (1, 1)
    assert OutboxMessage.objects.get().state_label == "Delivered"


@pytest.mark.parametrize("state", ["waiting", "failed", "unconfigured"])
def test_whatever_is_not_delivered_can_be_tried_again(state: str, posts: list[dict[str, object]]) -> None:
    submit_one(orders_url="https://kitchen.example/orders")
    later = timezone.now() + dt.timedelta(hours=1)
    OutboxMessage.objects.update(state=state, attempts=9, last_error="x", due_at=later)
    assert tasks.sweep_outbox() == 0
    assert outbox.retry(OutboxMessage.objects.all()) == 1
    assert (tasks.sweep_outbox(), outbox.retry(OutboxMessage.objects.all())) == (1, 0)


def test_what_is_being_tried_right_now_is_left_to_that_try() -> None:
    submit_one(orders_url="https://kitchen.example/orders")
    OutboxMessage.objects.update(lease_expires_at=timezone.now() + dt.timedelta(seconds=30), attempts=1)
    assert outbox.retry(OutboxMessage.objects.all()) == 0
    assert OutboxMessage.objects.get().attempts == 1


def test_an_address_that_is_not_public_is_dead_at_once() -> None:
    submit_one(orders_url="https://169.254.169.254/orders")
    tasks.sweep_outbox()
    message = OutboxMessage.objects.get()
    assert (message.state, message.last_error) == ("failed", "order webhook: the address is not public")


@pytest.mark.parametrize(
    ("simulators", "debug", "may_be_local"), [([], False, False), (["openai"], False, True), ([], True, True)]
)
def test_this_machine_is_posted_to_only_where_settings_say_local(
    simulators: list[str], debug: bool, may_be_local: bool, settings: Settings
) -> None:
    settings.SIMULATORS, settings.DEBUG = simulators, debug
    assert OrdersReceiver.from_settings()._may_be_local is may_be_local


def test_the_app_registers_its_handlers(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "order.submitted" in outbox._handlers
    monkeypatch.setattr(outbox, "_handlers", {})
    register_all()
    assert outbox._handlers.keys() == {
        "appointment.booked",
        "appointment.calendar",
        "appointment.canceled",
        "appointment.moved",
        "browser_call.hang_up",
        "call.said",
        "order.submitted",
        "room.close",
        "room.state",
        "room_agent.dispatch",
        "room_agent.withdraw",
        "text.send",
        "voice_session.created",
    }
    assert orders_receiver.PROVIDER == "order webhook"
