"""The first page names everything that waits for a person, and leads there."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.test import Client
from django.utils import timezone

from recordings.models import Recording
from sessions.calls.models import Call, CallEvent
from sessions.messages.endpoints.models import WebhookEndpoint
from sessions.messages.models import OutboxMessage
from sessions.messages.texts.models import Text
from sessions.orders.models import Order
from telephony.events.models import ProviderEvent

from .world import World


@pytest.fixture(autouse=True)
def quiet(harbour: World) -> None:
    """Nothing waits, until a test says so."""
    OutboxMessage.objects.update(state="done")
    Order.objects.update(state="accepted")
    ProviderEvent.objects.update(state="done")
    Call.objects.update(state="completed")
    Text.objects.update(state="delivered", reason="")
    WebhookEndpoint.objects.update(paused_at=None)


def needs(client: Client) -> str:
    page = client.get("/admin/").content.decode()
    part = page[page.index('id="attention"') :]
    return part[: part.index("</section>")]


def leads_to(client: Client, text: str, part: str) -> str:
    found = re.search(rf'href="([^"]+)">[^<]*{re.escape(text)}', part)
    assert found, part
    response = client.get(found.group(1).replace("&amp;", "&"))
    assert response.status_code == 200
    return response.content.decode()


def test_nothing_waits(client_of_alice: Client) -> None:
    assert "Nothing needs attention." in needs(client_of_alice)


def test_orders_that_were_not_accepted_are_listed_whatever_their_day(client_of_alice: Client, harbour: World) -> None:
    Order.objects.update(state="submitted", created_at=timezone.now() - dt.timedelta(days=2))
    part = needs(client_of_alice)
    assert "1 order not accepted yet" in part
    assert "Nothing needs" not in part
    assert f"No. {harbour[Order].number}" in leads_to(client_of_alice, "1 order not accepted yet", part)


def test_a_failing_delivery_is_named_before_it_is_given_up(client_of_alice: Client) -> None:
    OutboxMessage.objects.update(state="waiting", attempts=2, last_error="webhook endpoint: returned 500")
    part = needs(client_of_alice)
    assert "1 webhook delivery being retried" in part
    assert "webhook endpoint: returned 500" in part
    leads_to(client_of_alice, "1 webhook delivery being retried", part)


def test_deliveries_that_no_worker_takes_are_named(client_of_alice: Client) -> None:
    OutboxMessage.objects.update(state="waiting", last_error="", due_at=timezone.now() - dt.timedelta(minutes=3))
    assert "1 webhook delivery overdue" in needs(client_of_alice)
    OutboxMessage.objects.update(due_at=timezone.now())
    assert "overdue" not in needs(client_of_alice)


def test_a_message_that_a_caller_left_is_named(client_of_alice: Client, harbour: World) -> None:
    CallEvent.objects.create(call=harbour[Call], kind="message_left", at=timezone.now(), detail={"duration_s": 9})
    assert "A caller left a message" in needs(client_of_alice)
    leads_to(client_of_alice, "A caller left a message", needs(client_of_alice))


def test_failed_recordings_and_events_and_paused_orders_are_named(client_of_alice: Client, harbour: World) -> None:
    Recording.objects.update(state="failed", created_at=timezone.now())
    ProviderEvent.objects.update(state="failed")
    harbour.organization.takes_orders = False
    harbour.organization.save()
    part = needs(client_of_alice)
    for words in ("1 recording failed today", "1 provider event failed", "orders are paused"):
        assert words in part
        leads_to(client_of_alice, words, part)


def test_a_greeting_without_audio_is_named_if_callers_would_hear_it(client_of_alice: Client, harbour: World) -> None:
    greetings = harbour.organization.kept_greetings
    greetings.update(state="failed", last_error="openai: HTTP 403")
    part = needs(client_of_alice)
    assert "openai: HTTP 403" in part
    assert "Make the greeting audio again" in leads_to(
        client_of_alice, "Harbour agent: the greeting has no audio", part
    )
    greetings.update(text="Of an earlier version")
    assert "Nothing needs attention." in needs(client_of_alice)


def test_a_colleague_reads_only_what_the_role_opens(harbour: World) -> None:
    Order.objects.update(state="submitted")
    OutboxMessage.objects.update(state="failed")
    client = Client()
    client.force_login(harbour.member("kitchen"))
    part = needs(client)
    assert "1 order not accepted yet" in part
    assert "delivery" not in part


def test_texts_that_reached_nobody_are_named_with_the_cause_and_the_fix(client_of_alice: Client) -> None:
    Text.objects.update(state="failed", reason="unregistered", body="Your appointment is booked.")
    part = needs(client_of_alice)
    assert "1 text did not reach the customer today" in part
    assert "Register it in Twilio" in part
    assert "Your appointment is booked." in leads_to(client_of_alice, "1 text did not reach the customer", part)
    Text.objects.update(state="not_sent", reason="opted_out")
    assert "did not reach" not in needs(client_of_alice)


def test_a_strangers_texts_are_not_counted(client_of_alice: Client, meadow: World) -> None:
    Text.objects.filter(organization=meadow.organization).update(state="failed", reason="filtered")
    assert "did not reach" not in needs(client_of_alice)
