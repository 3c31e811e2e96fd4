"""Bad input and wrong timestamps, for agents and realtime."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from agents.tests.people import ApiClient, refused
from sessions.calls.models import Call
from sessions.messages.models import OutboxMessage
from sessions.rooms.models import RoomAgent
from sessions.rooms.services.agents import agent_expected, agents_gone_with
from sessions.tests.builders import ROOM
from voiceapp.providers.livekit.client import LiveKitClient

from .api_requests import AGENT, ALL, REALTIME, send_request
from .conftest import SeeAgent

BODIES = [
    {},
    {"roomName": ""},
    {"roomName": None},
    {"roomName": 5},
    {"roomName": ["x"]},
    {"roomName": "x" * 101},
    {"roomName": "a room"},
    {"roomName": "room\x00"},
    {"roomName": ROOM, "unknown": 1},
]


def title_for(body: dict[str, object]) -> str:
    """A body that cannot be read, or has a field too many, is none with a wrong name."""
    return "Bad Request" if body.get("unknown") or body.get("roomName") == "room\x00" else "Missing roomName"


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize(("method", "path"), [each for each in ALL if each[0] in ("POST", "PATCH")])
def test_a_bad_body_is_400(alice: ApiClient, call: Call, method: str, path: str, body: dict[str, object]) -> None:
    more = {"status": "active"} if method == "PATCH" else {}
    assert refused(alice.http.request(method, path, json=more | body)) == (400, title_for(body))
    assert not RoomAgent.objects.exists()


@pytest.mark.parametrize("query", ["", "roomName=", "roomName=a%20b", "roomName=a&roomName=b", f"roomName={ROOM}&x=1"])
@pytest.mark.parametrize(("method", "path"), [each for each in ALL if each[0] in ("GET", "DELETE")])
def test_a_bad_query_is_400(alice: ApiClient, call: Call, method: str, path: str, query: str) -> None:
    title = "Bad Request" if "&" in query else "Missing roomName"
    assert refused(alice.http.request(method, f"{path}?{query}")) == (400, title)


@pytest.mark.parametrize("query", ["listAll=false", "listAll=perhaps", "listAll=", f"listAll=true&roomName={ROOM}"])
def test_one_room_or_all_of_them(alice: ApiClient, call: Call, query: str) -> None:
    assert refused(alice.http.get(f"{AGENT}?{query}"))[0] == 400


@pytest.mark.parametrize(
    "more",
    [
        {"voice": "marin"},
        {"voice": None},
        {"voice": 5},
        {"systemPrompt": 5},
        {"systemPrompt": None},
        {"systemPrompt": {"a": 1}},
        {"systemPrompt": "x" * 32_001},
        {"systemPrompt": "nul \x00"},
    ],
)
def test_a_voice_of_the_six_and_a_prompt_of_some_length(alice: ApiClient, call: Call, more: dict[str, object]) -> None:
    assert refused(alice.post(AGENT, roomName=ROOM, **more))[0] == 400
    assert not RoomAgent.objects.exists()


@pytest.mark.parametrize("status", ["", None, 1, "gone", "ACTIVE", ["active"]])
def test_a_status_of_the_three(alice: ApiClient, call: Call, status: object) -> None:
    agent_expected(call, system_prompt="", voice="alloy")
    assert refused(alice.patch(AGENT, roomName=ROOM, status=status)) == (400, "Invalid status")


@pytest.mark.parametrize("model", ["", None, 5, ["x"], "x" * 101])
def test_a_model_is_a_name(alice: ApiClient, call: Call, model: object) -> None:
    assert refused(alice.post(REALTIME, roomName=ROOM, model=model))[0] == 400


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"null", "application/json", 400),
        (b'"x"', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"roomName": "' + b"x" * 300_000 + b'"}', "application/json", 400),
        (b"roomName=x", "application/x-www-form-urlencoded", 415),
    ],
)
@pytest.mark.parametrize("path", [AGENT, REALTIME])
def test_what_is_no_json_object(
    alice: ApiClient, call: Call, path: str, content: bytes, kind: str, status: int
) -> None:
    assert refused(alice.http.post(path, content=content, headers={"Content-Type": kind}))[0] == status


@pytest.mark.parametrize(("method", "path"), [("PUT", AGENT), ("PUT", REALTIME), ("PATCH", REALTIME)])
def test_a_method_that_is_none_of_theirs(alice: ApiClient, call: Call, method: str, path: str) -> None:
    assert refused(alice.http.request(method, path, json={"roomName": ROOM}))[0] == 405


# Timestamps


def test_a_second_agent_is_409(alice: ApiClient, call: Call, client: LiveKitClient, see_agent: SeeAgent) -> None:
    assert alice.post(AGENT, roomName=ROOM).status_code == 200
    assert refused(alice.post(AGENT, roomName=ROOM)) == (409, "Agent already in this room")
    see_agent(call)
    assert refused(alice.post(AGENT, roomName=ROOM)) == (409, "Agent already in this room")
    assert len(client.list_dispatches(ROOM)) == 1


def test_a_call_that_is_over_gets_no_agent(alice: ApiClient, call: Call, client: LiveKitClient) -> None:
    Call.objects.filter(pk=call.pk).update(state="completed")
    assert refused(alice.post(AGENT, roomName=ROOM)) == (400, "Call not active")
    assert client.list_dispatches(ROOM) == ()


def test_a_room_that_has_closed_is_not_opened_for_an_agent(alice: ApiClient, call: Call, client: LiveKitClient) -> None:
    client.delete_room(ROOM)
    assert refused(alice.post(AGENT, roomName=ROOM)) == (404, "Session not found")
    assert client.find_room(ROOM) is None
    assert not RoomAgent.objects.exists()


def test_nothing_to_remove_or_update_is_404(alice: ApiClient, call: Call) -> None:
    assert refused(alice.delete(AGENT, roomName=ROOM)) == (404, "Agent not found")
    assert refused(alice.patch(AGENT, roomName=ROOM, status="active")) == (404, "Agent not found")
    assert refused(alice.delete(REALTIME, roomName=ROOM)) == (404, "Call session or agent not found")


def test_what_was_removed_is_not_removed_again(alice: ApiClient, call: Call) -> None:
    alice.post(AGENT, roomName=ROOM)
    assert alice.delete(REALTIME, roomName=ROOM).status_code == 200
    assert refused(alice.delete(AGENT, roomName=ROOM)) == (404, "Agent not found")
    assert refused(alice.delete(REALTIME, roomName=ROOM)) == (404, "Call session or agent not found")


def test_a_removed_agent_makes_room_for_another(alice: ApiClient, call: Call) -> None:
    first = alice.post(AGENT, roomName=ROOM).json()["session"]["agentIdentity"]
    alice.delete(AGENT, roomName=ROOM)
    second = alice.post(AGENT, roomName=ROOM).json()["session"]["agentIdentity"]
    assert first != second
    assert alice.get(AGENT, roomName=ROOM).json()["session"]["agentIdentity"] == second


def test_an_agent_is_removed_from_a_room_that_has_closed(alice: ApiClient, call: Call, client: LiveKitClient) -> None:
    alice.post(AGENT, roomName=ROOM)
    client.delete_room(ROOM)
    assert alice.delete(AGENT, roomName=ROOM).status_code == 200


@pytest.mark.parametrize(
    ("was", "becomes", "status"),
    [
        ("pending", "pending", 200),
        ("pending", "active", 200),
        ("pending", "disconnected", 200),
        ("active", "active", 200),
        ("active", "disconnected", 200),
        ("disconnected", "disconnected", 200),
        ("active", "pending", 400),
        ("disconnected", "pending", 400),
        ("disconnected", "active", 400),
    ],
)
def test_a_status_goes_forward_only(alice: ApiClient, call: Call, was: str, becomes: str, status: int) -> None:
    agent = agent_expected(call, system_prompt="", voice="alloy")
    RoomAgent.objects.filter(pk=agent.pk).update(status=was)
    answer = alice.patch(AGENT, roomName=ROOM, status=becomes)
    assert answer.status_code == status, answer.text
    agent.refresh_from_db()
    if status == 400:
        assert refused(answer) == (400, "Invalid status")
        assert agent.status == was
    else:
        assert answer.json() == {"success": True, "message": f"Agent status updated to {becomes}"}
        assert agent.status == becomes
        assert (agent.joined_at is not None) is (becomes == "active" and was != becomes)
        assert (agent.disconnected_at is not None) is (becomes == "disconnected" and was != becomes)


def test_realtime_waits_for_the_agent(alice: ApiClient, call: Call) -> None:
    assert refused(alice.post(REALTIME, roomName=ROOM)) == (404, "Call session or agent not found")
    alice.post(AGENT, roomName=ROOM)
    answer = alice.post(REALTIME, roomName=ROOM)
    assert refused(answer) == (503, "AI agent not ready")
    assert int(answer.headers["Retry-After"]) > 0


def test_realtime_does_not_wait_for_one_that_is_gone(alice: ApiClient, call: Call, see_agent: SeeAgent) -> None:
    alice.post(AGENT, roomName=ROOM)
    agent = see_agent(call)
    assert agents_gone_with(call.pk, at=agent.created_at)
    assert refused(alice.post(REALTIME, roomName=ROOM)) == (404, "Call session or agent not found")


def test_realtime_of_a_call_that_is_over_is_404(alice: ApiClient, call: Call, see_agent: SeeAgent) -> None:
    alice.post(AGENT, roomName=ROOM)
    see_agent(call)
    Call.objects.filter(pk=call.pk).update(state="completed")
    assert refused(alice.post(REALTIME, roomName=ROOM)) == (404, "Call session or agent not found")


def test_without_openais_key_realtime_is_503(
    alice: ApiClient, call: Call, see_agent: SeeAgent, settings: Settings
) -> None:
    alice.post(AGENT, roomName=ROOM)
    see_agent(call)
    settings.OPENAI_API_KEY = settings.AWS_ENDPOINT_URL = settings.AWS_ACCESS_KEY_ID = ""
    answer = alice.post(REALTIME, roomName=ROOM)
    assert refused(answer) == (503, "Voice service not configured")
    assert RoomAgent.objects.get().model == ""


@pytest.mark.parametrize("name", ["LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "BOTH_HOSTS"])
@pytest.mark.parametrize(("method", "path"), [("POST", AGENT), ("DELETE", AGENT), ("DELETE", REALTIME)])
def test_without_livekit_it_is_503(
    alice: ApiClient, call: Call, settings: Settings, name: str, method: str, path: str
) -> None:
    if method == "DELETE":
        agent_expected(call, system_prompt="", voice="alloy")
    if name == "BOTH_HOSTS":
        settings.LIVEKIT_HOST = settings.LIVEKIT_INTERNAL_URL = ""
    else:
        setattr(settings, name, "")
    assert refused(send_request(alice, method, path)) == (503, "Voice service not configured")
    assert RoomAgent.objects.present().count() == (1 if method == "DELETE" else 0)
    assert not OutboxMessage.objects.exists()


# How often


@pytest.mark.parametrize("path", [AGENT, REALTIME])
def test_posts_are_limited_together_and_ends_are_not(
    alice: ApiClient, call: Call, settings: Settings, path: str
) -> None:
    settings.LIMIT_REALTIME = "3/h"
    for _ in range(2):
        assert alice.post(path, roomName=ROOM).headers["X-RateLimit-Limit"] == "3"
    assert alice.post(REALTIME, roomName=ROOM).headers["X-RateLimit-Remaining"] == "0"
    answer = alice.post(path, roomName=ROOM)
    assert answer.status_code == 429
    assert answer.json()["limit"] == 3
    for method in ("PATCH", "DELETE"):
        assert "X-RateLimit-Limit" not in send_request(alice, method, AGENT).headers
    assert alice.delete(REALTIME, roomName=ROOM).status_code != 429


@pytest.mark.parametrize("path", [AGENT, REALTIME])
def test_reads_are_limited(alice: ApiClient, call: Call, settings: Settings, path: str) -> None:
    settings.LIMIT_READ = "1/15m"
    assert alice.get(path, roomName=ROOM).status_code == 200
    assert alice.get(path, roomName=ROOM).status_code == 429
