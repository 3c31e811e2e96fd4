"""Today's numbers, and what needs a hand; each leads to its rows."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from agents.catalog.models import Item
from agents.configuration.models import Agent
from sessions.calls.models import Call
from sessions.messages.endpoints.models import WebhookEndpoint
from sessions.messages.models import OutboxMessage
from sessions.orders.models import Order
from telephony.twilio.models import PhoneNumber
from voiceapp.core.phones.numbers import show_number

from .world import World


def first_page(client: Client) -> str:
    return client.get("/admin/").content.decode()


def tiles(client: Client) -> dict[str, str]:
    """Label → number."""
    found = re.findall(r'va-tile-label">.*?</span>(\w+)</span>\s*<strong>(.*?)</strong>', first_page(client), re.DOTALL)
    return dict(found)


def test_the_numbers_of_today(client_of_alice: Client, harbour: World) -> None:
    organization = harbour.organization
    Call.objects.create(organization=organization, state="missed")
    Call.objects.create(organization=organization, state="connected")
    before = Call.objects.create(organization=organization, state="completed")
    Call.objects.filter(pk=before.pk).update(created_at=timezone.now() - dt.timedelta(days=1, minutes=1))
    Order.objects.create(
        organization=organization, number=2, currency="EUR", subtotal=5, tax=0, total=5, state="canceled"
    )
    assert tiles(client_of_alice) == {
        "Answered": "2", "Missed": "1", "Response": "0.90 s", "Orders": "1", "Revenue": "11.00 EUR",
    }  # fmt: skip


def test_each_number_leads_to_the_rows_it_counts(client_of_alice: Client, harbour: World) -> None:
    page = first_page(client_of_alice)
    links = re.findall(r'class="va-card va-tile" href="(.*?)"', page) + re.findall(r'class="va-day" href="(.*?)"', page)
    assert len(links) == 5 + 14
    for link in links:
        assert client_of_alice.get(link.replace("&amp;", "&")).status_code == 200
    answered = client_of_alice.get(links[0].replace("&amp;", "&")).content.decode()
    assert str(harbour[Call].pk) in answered


def test_what_needs_a_hand_is_named(client_of_alice: Client, harbour: World) -> None:
    OutboxMessage.objects.update(state="done")
    Order.objects.update(state="accepted")
    WebhookEndpoint.objects.update(paused_at=None)
    assert "Nothing needs attention." in first_page(client_of_alice)
    OutboxMessage.objects.update(state="failed")
    Call.objects.create(organization=harbour.organization, state="failed", end_reason="provider_failed")
    Agent.objects.filter(pk=harbour[Agent].pk).update(prompt="new", is_paused=True)
    page = first_page(client_of_alice)
    for words in ("1 webhook delivery failed", "1 call failed today", "has unpublished changes", "is paused"):
        assert words in page
    number = show_number(harbour[PhoneNumber].number)
    assert f"{number} has no published agent" not in page
    Agent.objects.filter(pk=harbour[Agent].pk).update(is_default=False)
    assert f"{number} has no published agent" in first_page(client_of_alice)


def test_items_that_are_out_are_listed(client_of_alice: Client, harbour: World) -> None:
    assert "Unavailable items" not in first_page(client_of_alice)
    Item.objects.update(is_out=True)
    assert "Unavailable items" in first_page(client_of_alice)


def test_it_takes_few_queries(client_of_alice: Client, harbour: World) -> None:
    first_page(client_of_alice)
    with CaptureQueriesContext(connection) as queries:
        first_page(client_of_alice)
    assert len(queries) <= 31


@pytest.mark.parametrize(
    "address", ["/admin/", "/admin/voice_sessions/call/", "/admin/login/", "/admin/agents/agent/add/"]
)
def test_every_page_names_the_simulated_providers(address: str, client_of_alice: Client, settings: Settings) -> None:
    client = Client() if "login" in address else client_of_alice
    settings.SIMULATORS = []
    assert b"Demo mode" not in client.get(address).content
    settings.SIMULATORS = ["openai", "twilio"]
    words = b"Demo mode: simulated providers (OpenAI, Twilio). Nothing leaves this machine."
    assert words in client.get(address).content


def test_times_are_in_the_organizations_time_zone(client_of_alice: Client, harbour: World) -> None:
    harbour.organization.time_zone = "Asia/Tokyo"
    harbour.organization.save()
    Call.objects.filter(pk=harbour[Call].pk).update(created_at=dt.datetime(2026, 3, 4, 20, 30, tzinfo=dt.UTC))
    assert "Thu 5 Mar 2026, 05:30" in client_of_alice.get("/admin/voice_sessions/call/").content.decode()
    assert "Asia/Tokyo" in first_page(client_of_alice)


def test_the_webhook_of_a_number_is_there_to_be_copied(
    client_of_alice: Client, harbour: World, settings: Settings
) -> None:
    settings.PUBLIC_BASE_URL = "https://voice.example.com"
    page = client_of_alice.get(f"/admin/telephony/phonenumber/{harbour[PhoneNumber].pk}/change/").content.decode()
    assert f"https://voice.example.com/twiml/start?orgId={harbour.organization.pk}" in page
    listing = client_of_alice.get("/admin/telephony/phonenumber/").content.decode()
    assert "Harbour agent (default)" in listing
