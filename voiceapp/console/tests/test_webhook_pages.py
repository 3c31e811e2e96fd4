"""Webhook endpoints and their deliveries: added, tested, rotated, and read as far as a role may."""

from __future__ import annotations

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from sessions.messages.endpoints.models import WebhookEndpoint
from sessions.messages.endpoints.services.endpoints import MOST_ENDPOINTS
from sessions.messages.models import OutboxMessage
from sessions.tests.builders import make_endpoint
from voiceapp.providers.webhook_receiver import Attempt, WebhookReceiver

from .world import World

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

ADD = "/admin/voice_sessions/webhookendpoint/add/"


def page_of(endpoint: WebhookEndpoint) -> str:
    return reverse("admin:voice_sessions_webhookendpoint_change", args=(endpoint.pk,))


def press(client: Client, endpoint: WebhookEndpoint, button: str) -> str:
    address = reverse("admin:voice_sessions_webhookendpoint_press", args=(endpoint.pk, button))
    return client.post(address, follow=True).content.decode()


def delivery_page(client: Client, world: World) -> str:
    address = reverse("admin:voice_sessions_outboxmessage_change", args=(world[OutboxMessage].pk,))
    return client.get(address).content.decode()


def test_an_endpoint_is_added_and_its_secret_is_shown_once(client_of_alice: Client, harbour: World) -> None:
    form = {"name": "Till", "url": "https://till.example/hook", "events": ["call.ended", "order.submitted"]}
    page = client_of_alice.post(ADD, form, follow=True).content.decode()
    endpoint = WebhookEndpoint.objects.get(name="Till")
    assert endpoint.events == ["order.submitted", "call.ended"]
    assert "order.submitted, call.*" in client_of_alice.get("/admin/voice_sessions/webhookendpoint/").content.decode()
    assert re.findall(r"whsec_[A-Za-z0-9+/=]{44}", page) == [endpoint.secret]
    assert endpoint.secret not in client_of_alice.get(page_of(endpoint)).content.decode()
    assert endpoint.secret not in str(LogEntry.objects.values())
    page = press(client_of_alice, endpoint, "rotate")
    endpoint.refresh_from_db()
    assert endpoint.secret in page
    assert "the earlier one is used, too" in client_of_alice.get(page_of(endpoint)).content.decode()


def test_what_cannot_work_is_refused_in_a_sentence(client_of_alice: Client, harbour: World) -> None:
    form = {"name": "Till", "url": "http://till.example/hook", "events": []}
    page = client_of_alice.post(ADD, form).content.decode()
    assert "Enter a public URL that starts with https://" in page
    assert "Choose at least one event" in page
    for _ in range(MOST_ENDPOINTS - 1):
        make_endpoint(harbour.organization)
    form |= {"url": "https://till.example/hook", "events": ["call.ended"]}
    assert f"at most {MOST_ENDPOINTS} webhook endpoints" in client_of_alice.post(ADD, form).content.decode()
    assert not WebhookEndpoint.objects.filter(name="Till").exists()


def test_its_events_change_and_a_test_says_what_came_of_it(
    client_of_alice: Client, harbour: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = make_endpoint(harbour.organization)
    change = {"name": "Kitchen", "url": endpoint.url, "events": ["text.failed"]}
    assert client_of_alice.post(page_of(endpoint), change).status_code == 302
    endpoint.refresh_from_db()
    assert endpoint.events == ["text.failed"]
    answer = Attempt({}, duration_ms=12, status=204)
    monkeypatch.setattr(WebhookReceiver, "post", lambda *_, **__: answer)
    assert "The endpoint accepted the test event: 204, after 12 ms." in press(client_of_alice, endpoint, "test")
    assert "The endpoint is paused." in press(client_of_alice, endpoint, "pause")
    assert "no longer possible" in press(client_of_alice, endpoint, "test")


def test_replay_of_what_failed_needs_a_running_endpoint(client_of_alice: Client, harbour: World) -> None:
    endpoint = harbour[WebhookEndpoint]
    assert "Harbour reason" in client_of_alice.get(page_of(endpoint)).content.decode()
    assert "Webhook endpoint Harbour endpoint is paused" in client_of_alice.get("/admin/").content.decode()
    press(client_of_alice, endpoint, "resume")
    assert "Harbour endpoint is paused" not in client_of_alice.get("/admin/").content.decode()
    assert "1 delivery is being sent again" in press(client_of_alice, endpoint, "replay")
    assert harbour[OutboxMessage].__class__.objects.get().state == "waiting"
    assert "Nothing has failed" in press(client_of_alice, endpoint, "replay")


def test_a_delivery_shows_its_attempts_and_numbers_only_to_who_may_see_them(
    client_of_alice: Client, harbour: World
) -> None:
    full = harbour[OutboxMessage].body["data"]["customerNumber"]
    page = delivery_page(client_of_alice, harbour)
    assert full in page
    assert "Harbour response" in page
    assert "42 ms" in page
    viewer = Client()
    viewer.force_login(harbour.member("viewer"))
    page = delivery_page(viewer, harbour)
    assert full not in page
    assert "Harbour response" not in page
    assert "Your role may not see it" in page


@pytest.mark.parametrize("role", ["staff", "kitchen", "viewer"])
def test_only_owners_and_managers_open_endpoints(role: str, harbour: World) -> None:
    client = Client()
    client.force_login(harbour.member(role))
    assert client.get("/admin/voice_sessions/webhookendpoint/").status_code == 403
    assert client.get(page_of(harbour[WebhookEndpoint])).status_code == 403
