"""The call page opens to staff of the organization, and says what is missing; its call is the organization's."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.test import Client
from pytest_django import Settings

from agents.organizations.models import Membership, Organization
from agents.tests.builders import make_organization
from sessions.calls.models import Call, Turn
from sessions.rooms.models import RoomAgent
from sessions.tests.builders import make_room_call
from voiceapp.simulators.livekit.tests.running import RunningLiveKit

from ..ways import LIBRARY, NO_LIBRARY, NOT_CONFIGURED, addresses_of


@pytest.fixture(autouse=True)
def committed(transactional_db: None) -> None:
    """LiveKit's answers are processed in other threads."""


def member_of(*organizations: Organization, role: str = "owner", name: str = "alice") -> Client:
    user = User.objects.create_user(name, is_staff=True)
    for organization in organizations:
        Membership.objects.create(organization=organization, user=user, role=role)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def has_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finders, "find", lambda path: f"/static/{path}")


def test_it_opens_to_staff_of_the_organization_alone(harbour: Organization, meadow: Organization) -> None:
    alice, charlie = member_of(harbour), member_of(meadow, name="charlie")
    assert alice.get(f"/call/{harbour.slug}").status_code == 200
    assert charlie.get(f"/call/{harbour.slug}").status_code == 404
    assert alice.get("/call/nowhere").status_code == 404
    assert Client().get(f"/call/{harbour.slug}").status_code == 302


def test_it_says_what_is_missing(harbour: Organization, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    alice = member_of(harbour)
    settings.LIVEKIT_HOST = ""
    assert str(NOT_CONFIGURED) in alice.get(f"/call/{harbour.slug}").content.decode()
    settings.LIVEKIT_HOST = "wss://livekit.example.com"
    monkeypatch.setattr(finders, "find", lambda path: None)
    page = alice.get(f"/call/{harbour.slug}").content.decode()
    assert str(NO_LIBRARY) in page
    assert LIBRARY not in page


def test_its_policy_names_the_livekit_server_and_allows_no_inline_script(
    harbour: Organization, settings: Settings, has_library: None
) -> None:
    settings.LIVEKIT_HOST = "wss://livekit.example.com"
    answer = member_of(harbour).get(f"/call/{harbour.slug}")
    policy = answer["Content-Security-Policy"]
    assert policy.endswith("connect-src 'self' wss://livekit.example.com https://livekit.example.com")
    assert "unsafe" not in policy
    assert b"<script>" not in answer.content


@pytest.mark.parametrize(
    ("host", "addresses"),
    [
        ("", []),
        ("ws://127.0.0.1:7880", ["ws://127.0.0.1:7880", "http://127.0.0.1:7880"]),
        (
            "wss://a.livekit.cloud",
            ["wss://a.livekit.cloud", "https://a.livekit.cloud", "wss://*.livekit.cloud", "https://*.livekit.cloud"],
        ),
    ],
)
def test_addresses_of_livekit(host: str, addresses: list[str]) -> None:
    assert addresses_of(host) == addresses


def test_the_call_is_of_the_pages_organization_not_of_the_users_first(
    livekit: RunningLiveKit, harbour: Organization, meadow: Organization
) -> None:
    alice = member_of(harbour, meadow)
    answer = alice.post(f"/call/{meadow.slug}/session", {"enableRecording": False}, content_type="application/json")
    assert answer.status_code == 200, answer.content
    assert Call.objects.get().organization == meadow
    assert livekit.join(answer.json()["session"]["token"])
    elsewhere = make_organization("Castle")
    assert alice.post(f"/call/{elsewhere.slug}/session", {}, content_type="application/json").status_code == 404


def test_how_the_call_is_going(harbour: Organization, meadow: Organization) -> None:
    call = make_room_call(harbour)
    RoomAgent.objects.create(call=call, identity="ai-agent-1", voice="alloy", tries=2)
    Turn.objects.create(call=call, number=1, response_ms=820)
    address = f"/call/{harbour.slug}/calls/{call.pk}"
    now = member_of(harbour).get(address).json()
    assert (now["state"], now["agentStatus"], now["responseMs"], now["order"]) == ("connected", "pending", [820], None)
    assert "trying again" in now["message"]
    assert member_of(meadow, name="charlie").get(address).status_code == 404
