"""The people who send requests over real HTTP: Alice, her colleagues, a stranger, and software with a key.

A folder of tests imports the fixtures it needs into its conftest.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from agents.organizations.models import Organization
from agents.organizations.services import issue_key
from agents.tests.builders import make_organization
from voiceapp.providers.tests.clerk_instance import ClerkInstance, trust
from voiceapp.tests.limits import raise_limits


class ApiClient:
    """One credential."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def post(self, path: str, **body: object) -> httpx.Response:
        return self.http.post(path, json=body)

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self.http.get(path, params=query)

    def patch(self, path: str, **body: object) -> httpx.Response:
        return self.http.patch(path, json=body)

    def delete(self, path: str, **query: Any) -> httpx.Response:
        return self.http.delete(path, params=query)


@contextmanager
def api_client(url: str, token: str) -> Iterator[ApiClient]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with httpx.Client(base_url=url, headers=headers, trust_env=False, verify=False, timeout=30) as http:
        yield ApiClient(http)


def token_of(clerk: ClerkInstance, subject: str, organization: Organization | None, *, role: str = "member") -> str:
    if organization is None:
        return clerk.token(subject)
    return clerk.token(subject, o={"id": organization.clerk_id, "rol": role})


def refused(answer: httpx.Response) -> tuple[int, str]:
    """Status and kind of an error in the voice API's shape."""
    body = answer.json()
    assert set(body) == {"error", "message", "details"}, body
    assert body["message"]
    return answer.status_code, body["error"]


@pytest.fixture
def clerk(settings: Settings) -> ClerkInstance:
    """One that we trust; the rate limits have tests of their own."""
    raise_limits(settings)
    instance = ClerkInstance()
    trust(instance, settings)
    return instance


@pytest.fixture
def harbour(db: None) -> Organization:
    return make_organization("Harbour", clerk_id="org_harbour")


@pytest.fixture
def meadow(db: None) -> Organization:
    return make_organization("Meadow", clerk_id="org_meadow")


@pytest.fixture
def alice(live_server: LiveServer, clerk: ClerkInstance, harbour: Organization) -> Iterator[ApiClient]:
    """The calls are hers; in her organization she is a member like others."""
    with api_client(live_server.url, token_of(clerk, "user_alice", harbour)) as api:
        yield api


@pytest.fixture
def bob(live_server: LiveServer, clerk: ClerkInstance, harbour: Organization) -> Iterator[ApiClient]:
    with api_client(live_server.url, token_of(clerk, "user_bob", harbour)) as api:
        yield api


@pytest.fixture
def mia(live_server: LiveServer, clerk: ClerkInstance, harbour: Organization) -> Iterator[ApiClient]:
    """Manages Harbour."""
    with api_client(live_server.url, token_of(clerk, "user_mia", harbour, role="admin")) as api:
        yield api


@pytest.fixture
def charlie(live_server: LiveServer, clerk: ClerkInstance, meadow: Organization) -> Iterator[ApiClient]:
    """Manages Meadow, and is no member of Harbour."""
    with api_client(live_server.url, token_of(clerk, "user_charlie", meadow, role="admin")) as api:
        yield api


@pytest.fixture
def website(live_server: LiveServer, clerk: ClerkInstance, harbour: Organization) -> Iterator[ApiClient]:
    """Harbour's own software, with a key for everything."""
    with api_client(live_server.url, issue_key(harbour, name="website").text) as api:
        yield api


@pytest.fixture
def anonymous(live_server: LiveServer, clerk: ClerkInstance) -> Iterator[ApiClient]:
    with api_client(live_server.url, "") as api:
        yield api
