"""From a submitted order to the signed post at the organization's endpoint."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.utils import timezone
from pytest_django import Settings

from agents.organizations.models import Organization
from sessions import tasks
from sessions.handlers import register_all
from sessions.messages.endpoints.services.delivering import body_of
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from sessions.orders.models import Order, OrderState
from sessions.orders.services.states import move_order
from sessions.tests.builders import Phone, make_restaurant
from voiceapp.providers.webhook_receiver import WebhookReceiver

pytestmark = pytest.mark.django_db


def submit_one(**values: object) -> Organization:
    organization, call = make_restaurant(**values)  # type: ignore[arg-type]
    phone = Phone(call.pk)
    phone.add("Tiramisu")
    phone.agrees()
    return organization


def test_an_order_is_posted_to_its_endpoint_under_its_secret(posts: list[dict[str, object]]) -> None:
    organization = submit_one()
    endpoint = organization.webhook_endpoints.get()
    assert tasks.deliver_outbox("webhook") == 1
    message = OutboxMessage.objects.get()
    assert posts == [
        {
            "url": endpoint.url,
            "secrets": [endpoint.secret],
            "webhook_id": str(message.message_id),
            "body": body_of(message),
        }
    ]
    body = json.loads(posts[0]["body"])  # type: ignore[arg-type]
    assert (body["type"], body["timestamp"][-1]) == ("order.submitted", "Z")
    assert (body["data"]["orgId"], body["data"]["total"]) == (str(organization.pk), "5.50")
    assert body["data"]["createdAt"].endswith("Z")


def test_a_replacing_order_says_so(posts: list[dict[str, object]]) -> None:
    _, call = make_restaurant()
    phone = Phone(call.pk)
    for item in ("Tiramisu", "Panna cotta"):
        phone.add(item)
        phone.agrees()
    assert tasks.sweep_outbox() == 2
    bodies = [json.loads(post["body"]) for post in posts]  # type: ignore[arg-type]
    assert [body["type"] for body in bodies] == ["order.submitted", "order.replaced"]
    assert bodies[1]["data"]["replaces"] == {"id": bodies[0]["data"]["id"], "number": 1}


def test_what_people_do_with_an_order_is_posted_after_it(posts: list[dict[str, object]]) -> None:
    submit_one()
    order = Order.objects.get()
    move_order(order, to=OrderState.ACCEPTED)
    assert tasks.sweep_outbox() == 2
    bodies = [json.loads(post["body"]) for post in posts]  # type: ignore[arg-type]
    assert [(body["type"], body["data"]["state"]) for body in bodies] == [
        ("order.submitted", "submitted"),
        ("order.state_changed", "accepted"),
    ]


def test_without_an_endpoint_nothing_is_enqueued() -> None:
    submit_one(orders_url="")
    assert not OutboxMessage.objects.exists()


@pytest.mark.parametrize("state", ["waiting", "failed", "unconfigured"])
def test_whatever_is_not_delivered_can_be_tried_again(state: str, posts: list[dict[str, object]]) -> None:
    submit_one()
    later = timezone.now() + dt.timedelta(hours=1)
    OutboxMessage.objects.update(state=state, attempts=9, last_error="x", due_at=later)
    assert tasks.sweep_outbox() == 0
    assert outbox.retry(OutboxMessage.objects.all()) == 1
    assert (tasks.sweep_outbox(), outbox.retry(OutboxMessage.objects.all())) == (1, 0)


def test_what_is_being_tried_right_now_is_left_to_that_try() -> None:
    submit_one()
    OutboxMessage.objects.update(lease_expires_at=timezone.now() + dt.timedelta(seconds=30), attempts=1)
    assert outbox.retry(OutboxMessage.objects.all()) == 0
    assert OutboxMessage.objects.get().attempts == 1


def test_an_address_that_is_not_public_is_dead_at_once() -> None:
    submit_one(orders_url="https://169.254.169.254/orders")
    tasks.sweep_outbox()
    message = OutboxMessage.objects.get()
    assert (message.state, message.last_error) == ("failed", "webhook endpoint: the address is not public")


@pytest.mark.parametrize(
    ("simulators", "debug", "may_be_local"), [([], False, False), (["openai"], False, True), ([], True, True)]
)
def test_this_machine_is_posted_to_only_where_settings_say_local(
    simulators: list[str], debug: bool, may_be_local: bool, settings: Settings
) -> None:
    settings.SIMULATORS, settings.DEBUG = simulators, debug
    assert WebhookReceiver.from_settings()._may_be_local is may_be_local


def test_the_app_registers_its_handlers(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "webhook" in outbox._handlers
    monkeypatch.setattr(outbox, "_handlers", {})
    register_all()
    assert outbox._handlers.keys() == {
        "alert.mail",
        "appointment.calendar",
        "browser_call.hang_up",
        "call.said",
        "order.alarm",
        "order.alarm_outcome",
        "room.close",
        "room.state",
        "room_agent.dispatch",
        "room_agent.withdraw",
        "text.send",
        "voice_session.created",
        "webhook",
    }
