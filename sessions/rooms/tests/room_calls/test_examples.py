"""The examples of the voice API's documentation for sessions and tokens, sent as they stand there."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from agents.organizations.models import Organization
from agents.tests.builders import make_agent
from agents.tests.people import ApiClient
from sessions.calls.models import Call, TranscriptLine
from sessions.rooms.models import RoomAgent, RoomToken
from sessions.rooms.tests.room_agents.test_examples import TIMESTAMP, alike
from sessions.tests.builders import ROOM, make_room_call
from voiceapp.providers.livekit.client import LiveKitClient

from .api_requests import HOST, SESSION, TOKEN, UUID, ended, started

MADE_NAME = re.compile(r"support-user_alice-\d{10}-[0-9a-f]{16}")


def test_a_support_call_is_started(
    alice: ApiClient, harbour: Organization, client: LiveKitClient, settings: Settings
) -> None:
    settings.LIVEKIT_RECORDING_BUCKET = "recordings"
    agent = make_agent(harbour)
    # The request of the example for TypeScript.
    answer = alice.post(SESSION, callType="support", enableRecording=True, enableAiAgent=True, voice="alloy")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    alike(
        {
            "success": True,
            "message": "Voice session created successfully",
            "session": {
                "callId": UUID,
                "roomName": MADE_NAME,
                "participantName": str,
                "token": str,
                "livekitHost": HOST,
                "callType": "support",
                "status": "ringing",
                "agentSpawned": True,
                "agentStatus": "pending",
                "recordingEnabled": True,
                "createdAt": TIMESTAMP,
            },
        },
        body,
    )
    call = Call.objects.get()
    assert (call.room_name, call.state, call.owner) == (body["session"]["roomName"], "ringing", "user_alice")
    assert (call.organization, call.agent_version, call.is_recording_wanted) == (harbour, agent.published_version, True)
    room = client.find_room(str(call.room_name))
    assert room
    assert room.sid == call.room_sid
    (dispatch,) = client.list_dispatches(room.name)
    expected = RoomAgent.objects.get()
    assert dispatch.agent_name == settings.LIVEKIT_AGENT_NAME
    assert json.loads(dispatch.metadata) == {"callId": str(call.pk), "agentIdentity": expected.identity}
    assert (expected.voice, expected.system_prompt) == ("alloy", "")


def test_every_field_may_be_left_out(alice: ApiClient) -> None:
    session = started(alice)
    assert (session["callType"], session["agentSpawned"]) == ("support", True)
    assert RoomAgent.objects.get().voice == "alloy"


@pytest.mark.parametrize("path", [SESSION, TOKEN])
def test_a_published_agent_speaks_with_its_own_voice_unless_said_otherwise(
    alice: ApiClient, harbour: Organization, path: str
) -> None:
    make_agent(harbour, voice="cedar")
    assert alice.post(path).status_code == 200
    assert RoomAgent.objects.get().voice == "cedar"


def test_every_field_may_be_given(alice: ApiClient) -> None:
    session = started(
        alice,
        callType="user-to-user",
        roomName="between.us-2",
        calleeId="user_bob",
        enableRecording=False,
        enableAiAgent=True,
        systemPrompt="You take notes.",
        voice="shimmer",
    )
    assert (session["roomName"], session["recordingEnabled"], session["agentSpawned"]) == (
        "between.us-2",
        False,
        True,
    )
    call, agent = Call.objects.get(), RoomAgent.objects.get()
    assert (call.callee, call.is_recording_wanted) == ("user_bob", False)
    assert (agent.voice, agent.system_prompt) == ("shimmer", "You take notes.")


def test_only_support_calls_get_an_agent_unasked(alice: ApiClient, client: LiveKitClient) -> None:
    session = started(alice, callType="conference")
    assert (session["agentSpawned"], session["agentStatus"]) == (False, None)
    assert client.list_dispatches(session["roomName"]) == ()
    assert not RoomAgent.objects.exists()


def test_recording_is_disabled_without_a_bucket(alice: ApiClient, settings: Settings) -> None:
    settings.LIVEKIT_RECORDING_BUCKET = ""
    assert started(alice, enableRecording=True)["recordingEnabled"] is False


def test_a_call_is_shown(alice: ApiClient, harbour: Organization) -> None:
    call = make_room_call(harbour, connected_at=timezone.now() - dt.timedelta(seconds=45))
    RoomAgent.objects.create(call=call, identity="ai-agent-1640995200", voice="alloy", status="active")
    body = alice.get(SESSION, roomName=ROOM).json()
    duration = body["session"].pop("duration")
    assert 45 <= duration <= 50
    alike(
        {
            "success": True,
            "session": {
                "callId": UUID,
                "roomName": ROOM,
                "callType": "support",
                "status": "connected",
                "startedAt": TIMESTAMP,
                "connectedAt": TIMESTAMP,
                "endedAt": None,
                "recordingUrl": None,
                "transcript": None,
                "metadata": {},
                "agentStatus": "active",
                "agentAvailable": True,
            },
        },
        body,
    )


def test_a_call_without_an_agent_says_so(alice: ApiClient, harbour: Organization) -> None:
    make_room_call(harbour, state="ringing", connected_at=None)
    session = alice.get(SESSION, roomName=ROOM).json()["session"]
    assert (session["agentStatus"], session["agentAvailable"]) == (None, False)
    assert (session["connectedAt"], session["duration"]) == (None, 0)


def test_what_was_kept_of_a_call_is_shown(alice: ApiClient, harbour: Organization) -> None:
    call = ended(make_room_call(harbour), after_s=600)
    for number, (speaker, text) in enumerate([("caller", "Hello?"), ("agent", "Good day.")]):
        TranscriptLine.objects.create(call=call, item_id=str(number), speaker=speaker, text=text, spoken_at_ms=number)
    session = alice.get(SESSION, roomName=ROOM).json()["session"]
    assert session["transcript"] == "Caller: Hello?\nAgent: Good day."
    assert (session["duration"], session["endedAt"] is not None) == (600, True)
    call.recordings.create(state="stored", url="https://s3.example.com/1.ogg", transcript="All of it.")
    session = alice.get(SESSION, roomName=ROOM).json()["session"]
    assert (session["recordingUrl"], session["transcript"]) == ("https://s3.example.com/1.ogg", "All of it.")


def test_a_users_own_calls_are_listed(alice: ApiClient, harbour: Organization) -> None:
    for number in range(30):
        ended(make_room_call(harbour, room_name=f"{ROOM}-{number}"), after_s=600)
    newest = Call.objects.order_by("-created_at")[0]
    newest.recordings.create(state="stored", size_bytes=9, transcript="Words.")
    body = alice.get(SESSION, status="completed", limit=20, offset=0).json()
    sessions: list[dict[str, Any]] = body.pop("sessions")
    assert body == {"success": True, "count": 20, "total": 30, "limit": 20, "offset": 0}
    assert len(sessions) == 20
    alike(
        {
            "callId": UUID,
            "roomName": f"{ROOM}-29",
            "callType": "support",
            "status": "completed",
            "startedAt": TIMESTAMP,
            "connectedAt": TIMESTAMP,
            "endedAt": TIMESTAMP,
            "duration": 600,
            "hasRecording": True,
            "hasTranscript": True,
            "createdAt": TIMESTAMP,
        },
        sessions[0],
    )
    assert (sessions[1]["hasRecording"], sessions[1]["hasTranscript"]) == (False, False)


def test_a_call_is_changed(alice: ApiClient, harbour: Organization) -> None:
    call = make_room_call(harbour, state="ringing", connected_at=None)
    RoomAgent.objects.create(call=call, identity="ai-agent-1640995200", voice="alloy")
    answer = alice.patch(SESSION, roomName=ROOM, status="connected", agentStatus="active", metadata={"ticket": 7})
    assert (answer.status_code, answer.json()) == (200, {"success": True, "message": "Session updated successfully"})
    session = alice.get(SESSION, roomName=ROOM).json()["session"]
    assert (session["status"], session["agentStatus"], session["metadata"]) == ("connected", "active", {"ticket": 7})
    assert session["connectedAt"]


def test_a_call_is_ended(alice: ApiClient, harbour: Organization) -> None:
    make_room_call(harbour, connected_at=timezone.now() - dt.timedelta(seconds=600))
    body = alice.delete(SESSION, roomName=ROOM).json()
    assert body.pop("duration") in range(600, 605)
    assert body == {"success": True, "message": "Session ended successfully"}


def test_a_token_begins_a_call(alice: ApiClient) -> None:
    answer = alice.post(TOKEN, participantName="John Doe", roomType="support", spawnAiAgent=True)
    assert answer.status_code == 200, answer.text
    alike(
        {
            "token": str,
            "roomName": MADE_NAME,
            "participantName": "John Doe",
            "livekitHost": HOST,
            "agentSpawned": True,
            "callId": UUID,
        },
        answer.json(),
    )
    call = Call.objects.get()
    assert (str(call.pk), call.state, call.call_type) == (answer.json()["callId"], "ringing", "support")
    assert RoomToken.objects.get(role="caller").name == "John Doe"


def test_requests_without_credentials_are_refused(anonymous: ApiClient) -> None:
    for answer in (anonymous.post(SESSION), anonymous.get(SESSION), anonymous.delete(SESSION), anonymous.post(TOKEN)):
        assert (answer.status_code, answer.json()) == (401, {"error": "Unauthorized"})
