"""The product as `manage.py serve` serves it, in a thread, and Alice's organization with a key."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from agents.organizations.models import Organization
from agents.organizations.services import issue_key
from agents.tests.builders import make_organization
from telephony.live.registry import live_calls
from voiceapp.core.http.pooled_requests import webhook_threads
from voiceapp.server import Server, listen, uvicorn_config
from voiceapp.tests.limits import raise_limits

from .wire import Wire


@pytest.fixture(scope="package")
def port(django_db_setup: None) -> Iterator[int]:
    listener = listen("127.0.0.1", 0)
    listening = threading.Event()
    server = Server(uvicorn_config(), calls=live_calls, budget_s=1, when_listening=listening.set)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    assert listening.wait(20)
    yield int(listener.getsockname()[1])
    server.should_exit = True
    thread.join(timeout=10)
    webhook_threads.close()


@pytest.fixture
def wire(port: int, transactional_db: None, settings: Settings) -> Wire:
    raise_limits(settings)
    settings.REQUEST_HEAD_TIMEOUT_S, settings.REQUEST_BODY_TIMEOUT_S = 10, 30
    return Wire(port)


@pytest.fixture
def organization(wire: Wire) -> Organization:
    return make_organization("Alice's")


@pytest.fixture
def key(organization: Organization) -> dict[str, Any]:
    """The headers of a request with the key and JSON."""
    bearer = f"Bearer {issue_key(organization, name='website').text}"
    return {"Authorization": bearer, "Content_Type": "application/json"}
