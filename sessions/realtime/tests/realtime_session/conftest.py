"""Alice's organization with a key, the product served over HTTP, with the simulator of OpenAI."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
import uvicorn
from django.core.asgi import get_asgi_application
from pytest_django import Settings

from agents.configuration.models import RealtimeEndpoint
from agents.organizations.models import Organization
from agents.organizations.services import issue_key
from agents.tests.builders import make_organization
from voiceapp.simulators.openai import OpenAISimulator

from .dialed import Dialed, recording_connections
from .stub import Stub, serving

OPENAI_KEY = "sk-the-servers-own-key"
BODY = {"model": "gpt-4o-realtime-preview", "voice": "verse"}
SendRequest = Callable[..., httpx.Response]


@pytest.fixture(scope="package")
def openai_simulator() -> Iterator[OpenAISimulator]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = OpenAISimulator(keys=[OPENAI_KEY])
    asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(10)
    yield server
    asyncio.run_coroutine_threadsafe(server.__aexit__(None, None, None), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture(scope="package")
def address(django_db_setup: None) -> Iterator[str]:
    """Where the product's addresses are served: Django behind the server that production has."""
    config = uvicorn.Config(get_asgi_application(), lifespan="off", ws="none", log_config=None)
    server = uvicorn.Server(config)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(256)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(timeout=10)


@pytest.fixture
def openai(openai_simulator: OpenAISimulator, settings: Settings) -> OpenAISimulator:
    settings.ENVIRONMENT = "prod"
    settings.OPENAI_API_KEY = OPENAI_KEY
    settings.OPENAI_BASE_URL = openai_simulator.fault_url(f"tag={uuid4().hex}")
    settings.LIMIT_REALTIME_SESSION = "10000/m"
    return openai_simulator


@pytest.fixture
def alices(transactional_db: None) -> Organization:
    return make_organization("Alice's")


@pytest.fixture
def alices_key(alices: Organization) -> str:
    return issue_key(alices, name="website").text


@pytest.fixture
def send_request(address: str, openai: OpenAISimulator, alices_key: str) -> Iterator[SendRequest]:
    """POST with Alice's key, or as given."""
    with httpx.Client(base_url=address, trust_env=False, timeout=30, verify=False) as client:

        def send(body: Any = BODY, *, key: str = alices_key, method: str = "POST", **headers: str) -> httpx.Response:
            """A body in bytes is sent as it is."""
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            proof = {"Authorization": f"Bearer {key}"} if key else {}
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            sent = {"Content-Type": "application/json", **proof, **named}
            return client.request(method, "/realtime_session", content=content, headers=sent)

        yield send


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serving(Stub()) as stub:
        yield stub


@pytest.fixture
def dialed() -> Iterator[Dialed]:
    with recording_connections() as dialed:
        yield dialed


def list_endpoint(organization: Organization, origin: str, key: str = "sk-of-alice-for-there") -> RealtimeEndpoint:
    endpoint = RealtimeEndpoint(organization=organization, origin=origin)
    endpoint.api_key = key
    endpoint.save()
    return endpoint
