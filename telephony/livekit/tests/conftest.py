"""Alice's call in a room, the simulator of LiveKit, and the product behind its webhooks. No commit wakes a worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from agents.organizations.models import Organization
from agents.tests.builders import make_organization
from sessions.messages.outbox import outbox
from telephony.events.inbox import inbox
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.simulators.livekit.tests.running import RunningLiveKit, name_livekit, running_livekit

from .webhook_sender import PATH, WebhookSender


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sources for which a worker would have been woken."""
    times: list[str] = []
    monkeypatch.setattr(inbox, "wake_up", times.append)
    monkeypatch.setattr(outbox, "wake_up", lambda topic: None)
    return times


@pytest.fixture
def project(settings: Settings) -> Settings:
    """A LiveKit project whose server is not there."""
    name_livekit(settings, "http://127.0.0.1:1")
    return settings


@pytest.fixture
def livekit(project: Settings, live_server: LiveServer) -> Iterator[RunningLiveKit]:
    """It sends every event to the product."""
    with running_livekit(webhook_urls=[live_server.url + PATH]) as running:
        name_livekit(project, running.url)
        yield running


@pytest.fixture
def client(livekit: RunningLiveKit) -> LiveKitClient:
    return LiveKitClient.from_settings()


@pytest.fixture
def sender(live_server: LiveServer, project: Settings) -> Iterator[WebhookSender]:
    sender = WebhookSender(live_server.url)
    yield sender
    sender.close()


@pytest.fixture
def harbour(transactional_db: None) -> Organization:
    return make_organization("Harbour")
