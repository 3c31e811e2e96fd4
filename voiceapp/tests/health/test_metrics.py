"""`/metrics`: on the internal key, or on the private listener."""

from __future__ import annotations

import socket
import urllib.request

import pytest
from django.conf import settings
from django.db import DatabaseError
from django.test import Client
from pytest_django import Settings

from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from voiceapp.metrics import start_private_listener

KEY = "k" * 40


@pytest.fixture(autouse=True)
def internal_key(settings: Settings) -> None:
    settings.INTERNAL_API_KEY = KEY


@pytest.mark.parametrize(
    "credential", ["", "Bearer ", "Bearer wrong", KEY, f"Basic {KEY}", "Bearer é", f"Bearer {KEY}x"]
)
def test_without_the_key_nothing_is_shown(client: Client, credential: str) -> None:
    response = client.get("/metrics", headers={"Authorization": credential})
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
    assert b"voiceapp_" not in response.content


@pytest.mark.parametrize("credential", ["", "Bearer ", "Bearer"])
def test_with_no_key_configured_everyone_is_refused(client: Client, settings: Settings, credential: str) -> None:
    settings.INTERNAL_API_KEY = ""
    assert client.get("/metrics", headers={"Authorization": credential}).status_code == 401


@pytest.mark.django_db
def test_with_the_key_the_process_and_the_jobs_are_reported(client: Client) -> None:
    OutboxMessage.objects.create(topic="order.submitted", partition_key="1", body={})
    text = client.get("/metrics", headers={"Authorization": f"Bearer {KEY}"}).content.decode()
    assert "voiceapp_live_calls" in text
    assert f"voiceapp_max_live_calls {settings.MAX_LIVE_CALLS:.1f}" in text
    assert "voiceapp_signatures_refused_total" in text
    assert "voiceapp_outbox_waiting 1.0" in text
    assert "voiceapp_outbox_failed 0.0" in text
    assert "voiceapp_inbox_waiting 0.0" in text


def test_without_the_database_the_rest_is_reported(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> None:
        raise DatabaseError("gone")

    monkeypatch.setattr(outbox, "count", gone)
    text = client.get("/metrics", headers={"Authorization": f"Bearer {KEY}"}).content.decode()
    assert "voiceapp_live_calls" in text
    assert "voiceapp_outbox_waiting" not in text


def test_nothing_can_be_posted_there(client: Client) -> None:
    assert client.post("/metrics", headers={"Authorization": f"Bearer {KEY}"}).status_code == 405


@pytest.mark.django_db(transaction=True)
def test_the_private_listener_needs_no_key() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server, thread = start_private_listener(f"127.0.0.1:{port}")
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            assert b"voiceapp_outbox_waiting" in answer.read()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
