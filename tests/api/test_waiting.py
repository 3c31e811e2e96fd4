"""A request that waits for a provider keeps no transaction open and no connection to the database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import uuid4

import httpx
import pytest
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from agents.organizations.models import Organization
from agents.organizations.services import issue_key
from agents.tests.builders import make_organization
from recordings.models import Recording
from sessions.calls.models import Call, CallEvent, CallKind, CallState, CallType
from sessions.rooms.models import RoomAgent
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.providers.tests.clerk_instance import served_clerk, trust
from voiceapp.simulators.livekit.tests.running import API_KEY, API_SECRET, name_livekit, running_livekit
from voiceapp.simulators.openai.tests.running import running_openai
from voiceapp.tests.database import other_connections
from voiceapp.tests.gate import Gate, Mode, gate_before
from voiceapp.tests.limits import raise_limits
from voiceapp.tests.waiting import soon

pytestmark = pytest.mark.waits

OPENAI_KEY = "sk-of-these-tests"
ROOM = "support-user123-1640995200"
BY_NAME: Mapping[str, object] = {"params": {"roomName": ROOM}}
ROOM_BODY: Mapping[str, object] = {"json": {"roomName": ROOM}}
BROWSER: Mapping[str, object] = {"json": {"model": "gpt-realtime", "voice": "marin"}}


@dataclass(frozen=True, slots=True)
class Wait:
    """A request of ours, and the request to a provider that waits: of OpenAI, of AWS, or a method of LiveKit."""

    method: str
    path: str
    given: Mapping[str, object]
    operation: str


WAITS = [
    Wait("POST", "/voice-session", {"json": {}}, "client_secrets"),
    Wait("POST", "/voice-session", {"json": {}}, "GetSecretValue"),
    Wait("POST", "/realtime_session", BROWSER, "client_secrets"),
    Wait("POST", "/realtime_session", BROWSER, "GetSecretValue"),
    Wait("POST", "/api/voice/session", {"json": {}}, "CreateRoom"),
    Wait("POST", "/api/voice/session", {"json": {"roomName": "another"}}, "ListRooms"),
    Wait("POST", "/api/voice/token", {"json": {}}, "CreateRoom"),
    Wait("POST", "/api/voice/token", {"json": {"roomName": "another"}}, "ListRooms"),
    Wait("POST", "/api/voice/realtime", ROOM_BODY, "GetSecretValue"),
    Wait("DELETE", "/api/voice/realtime", BY_NAME, "ListRooms"),
    Wait("POST", "/api/voice/agent", ROOM_BODY, "ListRooms"),
    Wait("POST", "/api/voice/agent", ROOM_BODY, "CreateDispatch"),
    Wait("DELETE", "/api/voice/agent", BY_NAME, "ListRooms"),
    Wait("DELETE", "/api/voice/agent", BY_NAME, "ListParticipants"),
    Wait("POST", "/api/voice/recording", ROOM_BODY, "StartRoomCompositeEgress"),
    Wait("DELETE", "/api/voice/recording", BY_NAME, "StopEgress"),
]


@pytest.fixture
def gates(settings: Settings, local_aws: str) -> Iterator[Mapping[str, Gate]]:
    """One in front of each provider, by the kind of its requests."""
    with (
        running_openai(keys=[OPENAI_KEY]) as openai,
        running_livekit() as livekit,
        gate_before(openai.base_url.removesuffix("/v1")) as before_openai,
        gate_before(livekit.url) as before_livekit,
        gate_before(local_aws) as before_aws,
    ):
        raise_limits(settings)
        name_livekit(settings, before_livekit.url)
        settings.LIVEKIT_RECORDING_BUCKET = "calls-of-tests"
        settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = OPENAI_KEY, f"{before_openai.url}/v1"
        settings.AWS_ENDPOINT_URL = before_aws.url
        settings.AWS_ACCESS_KEY_ID = settings.AWS_SECRET_ACCESS_KEY = "testing"
        settings.PROJECT_NAME = f"project-{uuid4().hex}"
        LiveKitClient(url=livekit.url, api_key=API_KEY, api_secret=API_SECRET).create_room(ROOM)
        yield {"client_secrets": before_openai, "GetSecretValue": before_aws, "": before_livekit}


@pytest.fixture
def trattoria(transactional_db: None) -> Organization:
    return make_organization("Trattoria")


@pytest.fixture
def call(trattoria: Organization) -> Call:
    return Call.objects.create(
        organization=trattoria,
        owner="user_alice",
        kind=CallKind.ROOM,
        room_name=ROOM,
        call_type=CallType.SUPPORT,
        state=CallState.CONNECTED,
        connected_at=timezone.now(),
    )


def furnish(call: Call, wait: Wait) -> None:
    """What must exist so that the request gets as far as the operation."""
    if wait.path.endswith("recording") and wait.method == "DELETE":
        Recording.objects.create(call=call, external_id="EG_1", state="recording", key="k", bucket="calls-of-tests")
    if wait.path.endswith("realtime") or (wait.path.endswith("agent") and wait.method == "DELETE"):
        RoomAgent.objects.create(call=call, identity="ai-agent-1", status="active")


@pytest.mark.parametrize("wait", WAITS, ids=lambda wait: f"{wait.method} {wait.path} {wait.operation}")
def test_nothing_is_held_during_a_request_to_a_provider(
    live_server: LiveServer,
    gates: Mapping[str, Gate],
    trattoria: Organization,
    call: Call,
    settings: Settings,
    wait: Wait,
) -> None:
    furnish(call, wait)
    gate = gates.get(wait.operation, gates[""])
    gate.mode, gate.holds = Mode.KEEPS_REQUESTS, wait.operation
    if wait.operation == "GetSecretValue":
        settings.OPENAI_API_KEY = ""
    headers = {"Authorization": f"Bearer {issue_key(trattoria, name='website').text}"}
    nothing_is_held(live_server, gate, call, lambda http: send(http, wait, headers))


def test_nothing_is_held_while_the_keys_of_clerk_are_fetched(
    live_server: LiveServer, call: Call, settings: Settings
) -> None:
    """Django's session had to be looked for first, in the database."""
    with (
        served_clerk() as clerk,
        httpx.Client(base_url=live_server.url, trust_env=False, verify=False, timeout=30) as http,
        ThreadPoolExecutor(1) as pool,
    ):
        clerk.delay_s = 1
        trust(clerk, settings)
        settings.CLERK_JWT_KEY = ""
        http.cookies.update({settings.SESSION_COOKIE_NAME: "of-last-month", "__session": clerk.token("user_alice")})
        before = other_connections()
        response = pool.submit(http.get, "/api/voice/session")
        soon(lambda: clerk.fetches)
        held = other_connections() - before
        assert not response.done()
        assert response.result(timeout=20).status_code == 200
    assert not held


def send(http: httpx.Client, wait: Wait, headers: Mapping[str, str]) -> httpx.Response:
    return http.request(wait.method, wait.path, headers=headers, **wait.given)  # type: ignore[arg-type]


def nothing_is_held(
    live_server: LiveServer, gate: Gate, call: Call, request: Callable[[httpx.Client], httpx.Response]
) -> None:
    with (
        httpx.Client(base_url=live_server.url, trust_env=False, verify=False, timeout=30) as http,
        ThreadPoolExecutor(1) as pool,
    ):
        before = other_connections()
        response = pool.submit(request, http)
        try:
            assert gate.is_held.wait(10)
            # As much as another request may write: nothing blocks it until the gate opens.
            CallEvent.objects.create(call=call, kind="looked", at=timezone.now())
            Call.objects.filter(pk=call.pk).update(metadata={"looked": True})
            is_waiting = not response.done()
            held = other_connections() - before
        finally:
            gate.is_over.set()
        assert response.result(timeout=20).status_code in (500, 503)
    assert not held
    assert is_waiting
