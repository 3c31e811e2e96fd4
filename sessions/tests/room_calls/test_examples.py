"""The examples of the voice API's documentation for sessions, sent as they stand there."""

from __future__ import annotations

import re

from pytest_django import Settings

from sessions.models import Call, RoomAgent, RoomPass
from sessions.tests.room_agents.asker import Asker
from sessions.tests.room_agents.test_examples import MOMENT, alike
from voiceapp.providers.livekit import LiveKitClient

SESSION = "/api/voice/session"
UUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")
MADE_NAME = re.compile(r"support-user_alice-\d{10}-[0-9a-f]{16}")


def test_a_support_call_is_started(alice: Asker, client: LiveKitClient, settings: Settings) -> None:
    settings.LIVEKIT_RECORDING_BUCKET = "recordings"
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
                "livekitHost": "wss://livekit.example.com",
                "callType": "support",
                "status": "ringing",
                "agentSpawned": True,
                "agentStatus": "pending",
                "recordingEnabled": True,
                "createdAt": MOMENT,
            },
        },
        body,
    )
    call = Call.objects.get()
    assert (call.room_name, call.state, call.owner) == (body["session"]["roomName"], "ringing", "user_alice")
    assert RoomPass.objects.get(role="caller").subject == "user_alice"
    assert client.find_room(str(call.room_name))
    (dispatch,) = client.list_dispatches(str(call.room_name))
    assert dispatch.agent_name == settings.LIVEKIT_AGENT_NAME
    assert RoomAgent.objects.get().identity in dispatch.metadata


def test_a_call_is_shown_and_ended(alice: Asker, client: LiveKitClient) -> None:
    room = alice.post(SESSION).json()["session"]["roomName"]
    shown = alice.get(SESSION, roomName=room)
    assert shown.status_code == 200, shown.text
    ended = alice.delete(SESSION, roomName=room)
    assert ended.json() == {"success": True, "message": "Session ended successfully", "duration": 0}
