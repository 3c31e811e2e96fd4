"""Every value that the API's specification lists for a field is taken, where it means something."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from agents.configuration.models import Agent
from agents.configuration.services import publish_agent
from agents.organizations.models import Organization
from agents.tests.people import ApiClient
from sessions.calls.models import Call
from sessions.rooms.models import RoomAgent
from sessions.tests.builders import ROOM, make_room_call

from .api_requests import SESSION, TOKEN, started

AGENT = "/api/voice/agent"
CALL_TYPES = ("support", "user-to-user", "conference")
STATUSES = ("pending", "ringing", "connected", "completed", "missed", "failed")
AGENT_STATUSES = ("pending", "active", "disconnected")
VOICES = ("alloy", "echo", "fable", "onyx", "nova", "shimmer")


@pytest.mark.parametrize("call_type", CALL_TYPES)
def test_a_call_of_each_type_starts(alice: ApiClient, call_type: str) -> None:
    body = {"calleeId": "user_bob"} if call_type == "user-to-user" else {}
    assert started(alice, callType=call_type, **body)["callType"] == call_type


@pytest.mark.parametrize("voice", VOICES)
@pytest.mark.parametrize("path", [SESSION, AGENT])
def test_each_voice_is_taken(alice: ApiClient, harbour: Organization, path: str, voice: str) -> None:
    if path == SESSION:
        started(alice, voice=voice)
    else:
        room = started(alice, callType="conference")["roomName"]
        assert alice.post(AGENT, roomName=room, voice=voice).status_code == 200
    assert RoomAgent.objects.get().voice == voice


@pytest.mark.parametrize("enable_recording", [True, False])
@pytest.mark.parametrize("enable_ai_agent", [True, False])
def test_both_values_of_each_switch_are_taken(alice: ApiClient, enable_recording: bool, enable_ai_agent: bool) -> None:
    session = started(alice, enableRecording=enable_recording, enableAiAgent=enable_ai_agent)
    call = Call.objects.get(pk=session["callId"])
    assert (call.is_recording_wanted, session["agentSpawned"]) == (enable_recording, enable_ai_agent)


@pytest.mark.parametrize(
    ("chosen", "bucket", "enable_ai_agent", "is_recorded"),
    [
        ("egress", "calls", False, True),
        ("egress", "", True, False),
        ("agent", "", True, True),
        ("agent", "calls", False, False),
        ("off", "calls", True, False),
    ],
)
def test_a_session_says_whether_it_will_be_recorded(
    alice: ApiClient,
    harbour: Organization,
    settings: Settings,
    chosen: str,
    bucket: str,
    enable_ai_agent: bool,
    is_recorded: bool,
) -> None:
    settings.LIVEKIT_RECORDING_BUCKET = bucket
    agent = Agent.objects.create(organization=harbour, name="Host", is_default=True, room_recording=chosen)
    publish_agent(agent, by="alice")
    assert started(alice, enableRecording=True, enableAiAgent=enable_ai_agent)["recordingEnabled"] is is_recorded


@pytest.mark.parametrize("status", STATUSES)
def test_calls_of_each_status_are_listed(alice: ApiClient, harbour: Organization, status: str) -> None:
    for each in STATUSES:
        make_room_call(harbour, state=each, room_name=f"room-{each}")
    body = alice.get(SESSION, status=status).json()
    assert [each["roomName"] for each in body["sessions"]] == [f"room-{status}"]


@pytest.mark.parametrize(
    ("old", "new"), [(old, new) for old in STATUSES[:3] for new in STATUSES[STATUSES.index(old) :]]
)
def test_a_live_call_takes_its_own_status_and_each_later_one(
    alice: ApiClient, harbour: Organization, old: str, new: str
) -> None:
    call = make_room_call(harbour, state=old, connected_at=None)
    body = alice.patch(SESSION, roomName=ROOM, status=new).json()
    assert body == {"success": True, "message": "Session updated successfully"}
    call.refresh_from_db()
    assert call.state == new


@pytest.mark.parametrize(
    ("old", "new"), [(old, new) for old in AGENT_STATUSES for new in AGENT_STATUSES[AGENT_STATUSES.index(old) :]]
)
@pytest.mark.parametrize("path", [SESSION, AGENT])
def test_an_agent_takes_its_own_status_and_each_later_one(
    alice: ApiClient, harbour: Organization, path: str, old: str, new: str
) -> None:
    agent = RoomAgent.objects.create(call=make_room_call(harbour), identity="ai-agent-1", voice="alloy", status=old)
    field = "agentStatus" if path == SESSION else "status"
    assert alice.patch(path, roomName=ROOM, **{field: new}).status_code == 200
    agent.refresh_from_db()
    assert agent.status == new


@pytest.mark.parametrize("spawn", [True, False])
@pytest.mark.parametrize("room_type", CALL_TYPES)
def test_a_token_begins_a_call_of_each_type(alice: ApiClient, room_type: str, spawn: bool) -> None:
    body = alice.post(TOKEN, roomType=room_type, spawnAiAgent=spawn).json()
    assert (Call.objects.get(pk=body["callId"]).call_type, body["agentSpawned"]) == (room_type, spawn)
