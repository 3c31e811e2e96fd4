"""Alice's restaurant, a call whose agent VAPI plays, and VAPI, which posts over HTTP. No commit wakes a worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from sessions.calls.models import Call
from sessions.messages.outbox import outbox
from sessions.tests.builders import make_restaurant
from telephony.events.inbox import inbox
from telephony.vapi.legs import open_leg
from telephony.vapi.webhooks import vapi_threads

from .sender import SECRET, VapiSender


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sources for which a worker would have been woken."""
    times: list[str] = []
    monkeypatch.setattr(inbox, "wake_up", times.append)
    monkeypatch.setattr(outbox, "wake_up", lambda topic: None)
    return times


@pytest.fixture(autouse=True)
def account(settings: Settings) -> Iterator[Settings]:
    settings.VAPI_SERVER_SECRET = SECRET
    settings.PUBLIC_BASE_URL = "https://voice.example.com"
    yield settings
    vapi_threads.close()


@pytest.fixture
def call(transactional_db: None) -> Call:
    _, call = make_restaurant()
    return call


@pytest.fixture
def vapi(live_server: LiveServer, call: Call) -> Iterator[VapiSender]:
    """Plays the agent of the call, as the process that carries it has noted."""
    sender = VapiSender(live_server.url, call)
    open_leg(call.pk, sender.call_id)
    yield sender
    sender.close()
