"""The people of the room agents' tests, and the simulator of LiveKit."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from agents.organizations.models import Organization
from agents.organizations.roles import Role
from agents.tests.builders import make_user
from agents.tests.people import alice, anonymous, bob, charlie, clerk, harbour, meadow, mia, website
from sessions.rooms.tests.room_agents.conftest import client, committed, livekit
from voiceapp.providers.tests.clerk_instance import ClerkInstance
from voiceapp.simulators.livekit.tests.running import RunningLiveKit

__all__ = [
    "alice",
    "anonymous",
    "bob",
    "charlie",
    "clerk",
    "client",
    "committed",
    "harbour",
    "livekit",
    "meadow",
    "mia",
    "website",
]


@pytest.fixture(autouse=True)
def open_house(livekit: RunningLiveKit) -> None:
    """LiveKit is there for every test."""


@pytest.fixture
def client_of_django(
    live_server: LiveServer, harbour: Organization, clerk: ClerkInstance
) -> Iterator[tuple[User, httpx.Client]]:
    """Dana, signed in with Django's session, in a browser that sends the token against forged requests."""
    user = make_user("dana", harbour, role=Role.STAFF)
    User.objects.filter(pk=user.pk).update(first_name="Dana", last_name="Day")
    browser = Client()
    browser.force_login(user)
    token = get_token(HttpRequest())
    cookies = {settings.SESSION_COOKIE_NAME: browser.cookies[settings.SESSION_COOKIE_NAME].value, "csrftoken": token}
    headers = {"X-CSRFToken": token, "Origin": live_server.url}
    with httpx.Client(
        base_url=live_server.url, cookies=cookies, headers=headers, trust_env=False, verify=False
    ) as http:
        yield user, http
