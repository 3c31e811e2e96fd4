"""Alice's support call in a room of the local LiveKit, and the people who ask about its agent."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from agents.models import Organization
from agents.services import issue_key
from agents.tests.builders import make_organization
from sessions.models import Call, RoomAgent
from sessions.models.call import CallKind, CallState, CallType
from sessions.services.room_agents import agent_of, agent_seen
from voiceapp.api.limits import LIMITS
from voiceapp.providers.livekit import LiveKitClient
from voiceapp.tests.livekit.running import API_KEY, API_SECRET, RunningLiveKit, running_livekit, soon
from voiceapp.tests.providers.clerk_instance import PAGE, ClerkInstance, pem

from .asker import ROOM, Asker, asking, token_of

SeeAgent = Callable[[Call], RoomAgent]


@pytest.fixture
def livekit(settings: Settings) -> Iterator[RunningLiveKit]:
    with running_livekit() as running:
        settings.LIVEKIT_HOST = "wss://livekit.example.com"
        settings.LIVEKIT_INTERNAL_URL = running.url
        settings.LIVEKIT_API_KEY, settings.LIVEKIT_API_SECRET = API_KEY, API_SECRET
        settings.OPENAI_API_KEY = "sk-of-these-tests"
        yield running


@pytest.fixture
def client(livekit: RunningLiveKit) -> LiveKitClient:
    return LiveKitClient(url=livekit.url, api_key=API_KEY, api_secret=API_SECRET)


@pytest.fixture
def harbour(transactional_db: None) -> Organization:
    return make_organization("Harbour", clerk_id="org_harbour")


@pytest.fixture
def meadow(transactional_db: None) -> Organization:
    return make_organization("Meadow", clerk_id="org_meadow")


@pytest.fixture
def open_call(client: LiveKitClient) -> Callable[..., Call]:
    """A live call in an open room, Alice's unless said otherwise."""

    def make(organization: Organization | None, room: str = ROOM, **values: object) -> Call:
        client.create_room(room)
        given: dict[str, object] = {
            "organization": organization,
            "owner": "user_alice",
            "kind": CallKind.ROOM,
            "room_name": room,
            "call_type": CallType.SUPPORT,
            "state": CallState.RINGING,
        }
        return Call.objects.create(**(given | values))

    return make


@pytest.fixture
def call(harbour: Organization, open_call: Callable[..., Call]) -> Call:
    return open_call(harbour)


@pytest.fixture
def see_agent(client: LiveKitClient) -> SeeAgent:
    """Wait for the agent to join, then hear of it as the webhook tells it."""

    def see(call: Call) -> RoomAgent:
        people = soon(lambda: [each for each in client.list_participants(str(call.room_name)) if each.is_agent])
        assert agent_seen(call, identity=people[0].identity, at=people[0].joined_at or timezone.now())
        agent = agent_of(call)
        assert agent
        return agent

    return see


@pytest.fixture
def clerk(settings: Settings) -> ClerkInstance:
    for limit in LIMITS:
        setattr(settings, limit.setting, "10000/h")
    instance = ClerkInstance()
    settings.CLERK_ISSUER, settings.CLERK_JWT_KEY = instance.issuer, pem("ins_first")
    settings.CLERK_AUTHORIZED_PARTIES = [PAGE]
    return instance


@pytest.fixture
def alice(live_server: LiveServer, clerk: ClerkInstance, harbour: Organization) -> Iterator[Asker]:
    """It is her call; in her organisation she is a member like others."""
    with asking(live_server.url, token_of(clerk, "user_alice", harbour)) as asker:
        yield asker


@pytest.fixture
def bob(live_server: LiveServer, clerk: ClerkInstance, harbour: Organization) -> Iterator[Asker]:
    with asking(live_server.url, token_of(clerk, "user_bob", harbour)) as asker:
        yield asker


@pytest.fixture
def mia(live_server: LiveServer, clerk: ClerkInstance, harbour: Organization) -> Iterator[Asker]:
    """Manages Harbour."""
    with asking(live_server.url, token_of(clerk, "user_mia", harbour, role="admin")) as asker:
        yield asker


@pytest.fixture
def charlie(live_server: LiveServer, clerk: ClerkInstance, meadow: Organization) -> Iterator[Asker]:
    """Manages Meadow, and is nobody in Harbour."""
    with asking(live_server.url, token_of(clerk, "user_charlie", meadow, role="admin")) as asker:
        yield asker


@pytest.fixture
def website(live_server: LiveServer, clerk: ClerkInstance, harbour: Organization) -> Iterator[Asker]:
    """Harbour's own software, with a key for everything."""
    with asking(live_server.url, issue_key(harbour, name="website").text) as asker:
        yield asker


@pytest.fixture
def nobody(live_server: LiveServer, clerk: ClerkInstance) -> Iterator[Asker]:
    with asking(live_server.url, "") as asker:
        yield asker
