"""Alice's support call in a room of the simulator of LiveKit, and the people who request its agent."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.utils import timezone
from pytest_django import Settings

from agents.organizations.models import Organization
from agents.tests.people import alice, anonymous, bob, charlie, clerk, harbour, meadow, mia, website
from sessions.calls.models import Call, CallState
from sessions.rooms.models import RoomAgent
from sessions.rooms.services.agents import agent_of, agent_seen
from sessions.tests.builders import ROOM, make_room_call
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.simulators.livekit.tests.running import RunningLiveKit, name_livekit, running_livekit
from voiceapp.tests.waiting import soon

__all__ = ["alice", "anonymous", "bob", "charlie", "clerk", "harbour", "meadow", "mia", "website"]

SeeAgent = Callable[[Call], RoomAgent]


@pytest.fixture(autouse=True)
def committed(transactional_db: None) -> None:
    """The server's threads read what the tests write."""


@pytest.fixture
def livekit(settings: Settings) -> Iterator[RunningLiveKit]:
    with running_livekit() as running:
        name_livekit(settings, running.url)
        settings.LIVEKIT_HOST = "wss://livekit.example.com"
        settings.OPENAI_API_KEY = "sk-of-these-tests"
        yield running


@pytest.fixture
def client(livekit: RunningLiveKit) -> LiveKitClient:
    return LiveKitClient.from_settings()


@pytest.fixture
def open_call(client: LiveKitClient) -> Callable[..., Call]:
    """A live call in an open room, Alice's unless said otherwise."""

    def make(organization: Organization | None, room: str = ROOM, **values: object) -> Call:
        client.create_room(room)
        ringing: dict[str, object] = {"state": CallState.RINGING, "connected_at": None}
        return make_room_call(organization, **({"room_name": room} | ringing | values))

    return make


@pytest.fixture
def call(harbour: Organization, open_call: Callable[..., Call]) -> Call:
    return open_call(harbour)


@pytest.fixture
def see_agent(client: LiveKitClient) -> SeeAgent:
    """Wait for the agent to join, then process it as its webhook reports it."""

    def see(call: Call) -> RoomAgent:
        people = soon(lambda: [each for each in client.list_participants(str(call.room_name)) if each.is_agent])
        assert agent_seen(call, identity=people[0].identity, at=people[0].joined_at or timezone.now())
        agent = agent_of(call)
        assert agent
        return agent

    return see
