"""The examples of the voice API's documentation for agents and realtime, sent as they stand there."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any

import jwt
from django.utils import timezone
from pytest_django import Settings

from agents.organizations.models import Organization
from agents.tests.builders import make_agent
from agents.tests.people import ApiClient
from sessions.calls.models import Call
from sessions.rooms.models import RoomAgent, RoomToken
from sessions.tests.builders import ROOM
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.simulators.livekit.tests.running import API_KEY, API_SECRET

from .api_requests import AGENT, REALTIME
from .conftest import SeeAgent

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
IDENTITY = re.compile(r"ai-agent-\d{10}-[0-9a-f]{16}")


def alike(example: Any, answer: Any, path: str = "") -> None:
    """Names, types and constants; what changes from call to call was replaced by a pattern before."""
    if isinstance(example, re.Pattern):
        assert isinstance(answer, str), path
        assert example.fullmatch(answer), (path, answer)
    elif isinstance(example, type):
        assert type(answer) is example, (path, answer)
    elif isinstance(example, dict):
        assert isinstance(answer, dict), path
        assert set(example) == set(answer), path
        for name, value in example.items():
            alike(value, answer[name], f"{path}.{name}")
    else:
        assert type(answer) is type(example), path
        assert answer == example, path


def test_an_agent_is_spawned(alice: ApiClient, call: Call, client: LiveKitClient, settings: Settings) -> None:
    answer = alice.post(AGENT, roomName=ROOM, systemPrompt="You are kind.", voice="nova")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    alike(
        {
            "success": True,
            "message": "Agent spawned successfully",
            "session": {
                "roomName": ROOM,
                "agentIdentity": IDENTITY,
                "status": "pending",
                "createdAt": TIMESTAMP,
                "token": str,
                "serverUrl": "wss://livekit.example.com",
            },
        },
        body,
    )
    agent = RoomAgent.objects.get()
    assert (agent.identity, agent.system_prompt, agent.voice) == (
        body["session"]["agentIdentity"],
        "You are kind.",
        "nova",
    )
    (dispatch,) = client.list_dispatches(ROOM)
    assert (dispatch.id, dispatch.agent_name) == (agent.dispatch_id, settings.LIVEKIT_AGENT_NAME)
    assert json.loads(dispatch.metadata) == {"callId": str(call.pk), "agentIdentity": agent.identity}
    assert RoomToken.objects.get(identity=agent.identity).role == RoomToken.Role.AGENT


def test_the_agents_token_opens_this_room_to_it_alone(alice: ApiClient, call: Call) -> None:
    session = alice.post(AGENT, roomName=ROOM).json()["session"]
    claims = jwt.decode(session["token"], API_SECRET, algorithms=["HS256"])
    assert (claims["iss"], claims["sub"], claims["kind"]) == (API_KEY, session["agentIdentity"], "agent")
    assert (claims["video"]["room"], claims["video"]["roomJoin"]) == (ROOM, True)
    assert not claims["video"].get("roomAdmin")
    assert claims["exp"] - timezone.now().timestamp() <= 600


def test_the_voice_is_alloy_unless_said_otherwise(alice: ApiClient, call: Call) -> None:
    assert alice.post(AGENT, roomName=ROOM).status_code == 200
    assert RoomAgent.objects.values_list("voice", "system_prompt").get() == ("alloy", "")


def test_a_published_agent_speaks_with_its_own_voice_unless_said_otherwise(
    alice: ApiClient, harbour: Organization, call: Call
) -> None:
    make_agent(harbour, voice="cedar")
    assert alice.post(AGENT, roomName=ROOM).status_code == 200
    assert RoomAgent.objects.values_list("voice", flat=True).get() == "cedar"


def test_an_agent_is_seen_as_soon_as_it_is_in_the_room(alice: ApiClient, call: Call, see_agent: SeeAgent) -> None:
    alice.post(AGENT, roomName=ROOM)
    example: dict[str, Any] = {
        "success": True,
        "available": False,
        "session": {"roomName": ROOM, "agentIdentity": IDENTITY, "status": "pending", "createdAt": TIMESTAMP},
    }
    alike(example, alice.get(AGENT, roomName=ROOM).json())
    see_agent(call)
    example["available"], example["session"]["status"] = True, "active"
    alike(example, alice.get(AGENT, roomName=ROOM).json())


def test_agents_are_listed(alice: ApiClient, call: Call) -> None:
    assert alice.get(AGENT, listAll="true").json() == {"success": True, "count": 0, "sessions": []}
    alice.post(AGENT, roomName=ROOM)
    session = {"roomName": ROOM, "agentIdentity": IDENTITY, "status": "pending", "createdAt": TIMESTAMP}
    body = alice.get(AGENT, listAll="true").json()
    assert (body["success"], body["count"]) == (True, 1)
    (listed,) = body["sessions"]
    alike(session, listed)


def test_an_agents_status_is_updated(alice: ApiClient, call: Call) -> None:
    alice.post(AGENT, roomName=ROOM)
    answer = alice.patch(AGENT, roomName=ROOM, status="active")
    assert answer.status_code == 200
    assert answer.json() == {"success": True, "message": "Agent status updated to active"}


def test_an_agent_is_removed(alice: ApiClient, call: Call, client: LiveKitClient, see_agent: SeeAgent) -> None:
    alice.post(AGENT, roomName=ROOM)
    see_agent(call)
    answer = alice.delete(AGENT, roomName=ROOM)
    assert answer.status_code == 200
    assert answer.json() == {"success": True, "message": "Agent removed successfully"}
    assert (client.list_participants(ROOM), client.list_dispatches(ROOM)) == ((), ())
    assert client.find_room(ROOM)
    assert alice.get(AGENT, roomName=ROOM).json()["session"]["status"] == "disconnected"


def test_realtime_is_initialized(alice: ApiClient, call: Call, see_agent: SeeAgent) -> None:
    alice.post(AGENT, roomName=ROOM, systemPrompt="You are a helpful AI assistant...")
    see_agent(call)
    answer = alice.post(REALTIME, roomName=ROOM)
    assert answer.status_code == 200, answer.text
    alike(
        {
            "success": True,
            "roomName": ROOM,
            "model": "gpt-4o-realtime-preview-2024-12-17",
            "modelUsed": "gpt-realtime-2.1",
            "voiceUsed": "alloy",
            "agentIdentity": IDENTITY,
            "configuration": {
                "modalities": ["text", "audio"],
                "instructions": "You are a helpful AI assistant...",
                "voice": "alloy",
                "input_audio_format": "pcm16",
                "output_audio_format": "pcm16",
                "input_audio_transcription": {"model": "whisper-1"},
                "turn_detection": {
                    "type": "server_vad",
                    "threshold": 0.5,
                    "prefix_padding_ms": 300,
                    "silence_duration_ms": 500,
                },
            },
            "livekit": {"serverUrl": "wss://livekit.example.com", "roomName": ROOM},
        },
        answer.json(),
    )
    assert RoomAgent.objects.get().model == "gpt-4o-realtime-preview-2024-12-17"


def test_names_that_openai_retired_are_echoed_beside_what_it_is_given(
    alice: ApiClient, call: Call, see_agent: SeeAgent
) -> None:
    alice.post(AGENT, roomName=ROOM, voice="nova")
    see_agent(call)
    body = alice.post(REALTIME, roomName=ROOM, model="gpt-4o-mini-realtime-preview").json()
    assert (body["model"], body["modelUsed"]) == ("gpt-4o-mini-realtime-preview", "gpt-realtime-2.1-mini")
    assert (body["configuration"]["voice"], body["voiceUsed"]) == ("nova", "coral")


def test_the_configuration_is_that_of_the_organizations_agent(
    alice: ApiClient, call: Call, harbour: Organization, see_agent: SeeAgent
) -> None:
    make_agent(harbour, prompt="You are the harbour's pilot.", vad_threshold=0.7, vad_silence_ms=350)
    alice.post(AGENT, roomName=ROOM)
    see_agent(call)
    configuration = alice.post(REALTIME, roomName=ROOM).json()["configuration"]
    assert configuration["instructions"] == "You are the harbour's pilot."
    assert configuration["turn_detection"] == {
        "type": "server_vad",
        "threshold": 0.7,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 350,
    }


def test_an_agent_that_hears_by_meaning_says_so(
    alice: ApiClient, call: Call, harbour: Organization, see_agent: SeeAgent
) -> None:
    make_agent(harbour, turn_detection="semantic_vad", vad_eagerness="high")
    alice.post(AGENT, roomName=ROOM)
    see_agent(call)
    turns = alice.post(REALTIME, roomName=ROOM).json()["configuration"]["turn_detection"]
    assert turns == {"type": "semantic_vad", "eagerness": "high"}


def test_the_state_of_realtime_is_shown(alice: ApiClient, call: Call, see_agent: SeeAgent) -> None:
    alice.post(AGENT, roomName=ROOM)
    see_agent(call)
    connected_at = timezone.now() - dt.timedelta(seconds=120)
    Call.objects.filter(pk=call.pk).update(state="connected", connected_at=connected_at, metadata={"table": 5})
    body = alice.get(REALTIME, roomName=ROOM).json()
    assert body["duration"] in (120, 121, 122)
    alike(
        {
            "success": True,
            "roomName": ROOM,
            "callStatus": "connected",
            "agentStatus": "active",
            "agentAvailable": True,
            "duration": int,
            "connectedAt": TIMESTAMP,
            "metadata": {"table": 5},
        },
        body,
    )


def test_the_state_before_anybody_came_has_the_same_names(alice: ApiClient, call: Call) -> None:
    assert alice.get(REALTIME, roomName=ROOM).json() == {
        "success": True,
        "roomName": ROOM,
        "callStatus": "ringing",
        "agentStatus": None,
        "agentAvailable": False,
        "duration": 0,
        "connectedAt": None,
        "metadata": {},
    }


def test_realtime_is_ended_and_the_call_goes_on(
    alice: ApiClient, call: Call, client: LiveKitClient, see_agent: SeeAgent
) -> None:
    alice.post(AGENT, roomName=ROOM)
    see_agent(call)
    Call.objects.filter(pk=call.pk).update(connected_at=timezone.now() - dt.timedelta(seconds=600))
    answer = alice.delete(REALTIME, roomName=ROOM)
    assert answer.status_code == 200
    alike({"success": True, "message": "Realtime session ended", "duration": int}, answer.json())
    assert answer.json()["duration"] in (600, 601, 602)
    assert client.list_participants(ROOM) == ()
    call.refresh_from_db()
    assert call.is_live
    assert alice.post(AGENT, roomName=ROOM).status_code == 200
