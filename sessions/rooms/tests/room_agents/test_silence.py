"""An agent that is told to be silent stays in the room and listens; the call goes on."""

from __future__ import annotations

import json

import pytest

from agents.tests.people import ApiClient, refused
from sessions.calls.models import Call
from sessions.messages.outbox import outbox
from sessions.rooms.models import RoomAgent
from sessions.rooms.services.room_state import TOPIC
from sessions.tests.builders import ROOM
from voiceapp.providers.livekit.client import LiveKitClient

from .api_requests import AGENT
from .conftest import SeeAgent


@pytest.fixture
def agent(alice: ApiClient, call: Call, see_agent: SeeAgent) -> RoomAgent:
    alice.post(AGENT, roomName=ROOM)
    return see_agent(call)


def shown(client: LiveKitClient) -> object:
    outbox.process_due([TOPIC])
    room = client.find_room(ROOM)
    assert room
    return json.loads(room.metadata)["agentSilent"]


def test_it_is_silenced_and_speaks_again(alice: ApiClient, call: Call, client: LiveKitClient, agent: RoomAgent) -> None:
    got = alice.patch(AGENT, roomName=ROOM, silent=True)
    assert got.json() == {"success": True, "message": "Agent is silent"}
    assert shown(client) is True
    assert alice.patch(AGENT, roomName=ROOM, silent=True).status_code == 200
    assert alice.patch(AGENT, roomName=ROOM, silent=False).json()["message"] == "Agent speaks"
    assert shown(client) is False
    kinds = [event.kind for event in call.events.all() if "silenced" in event.kind]
    assert kinds == ["agent_silenced", "agent_unsilenced"]
    agent.refresh_from_db()
    assert (agent.status, [each.identity for each in client.list_participants(ROOM)]) == ("active", [agent.identity])


def test_without_an_agent_nobody_is_silenced(alice: ApiClient, call: Call, agent: RoomAgent) -> None:
    assert alice.delete(AGENT, roomName=ROOM).status_code == 200
    assert refused(alice.patch(AGENT, roomName=ROOM, silent=True)) == (404, "Agent not found")
    assert not call.events.filter(kind="agent_silenced").exists()


def test_a_stranger_silences_nobody(alice: ApiClient, charlie: ApiClient, call: Call, agent: RoomAgent) -> None:
    assert charlie.patch(AGENT, roomName=ROOM, silent=True).status_code == 404
    assert not RoomAgent.objects.get().is_silent


@pytest.mark.parametrize("silent", ["yes", 1, None, []])
def test_it_is_true_or_false(alice: ApiClient, call: Call, agent: RoomAgent, silent: object) -> None:
    assert alice.patch(AGENT, roomName=ROOM, silent=silent).status_code == 400
    assert alice.patch(AGENT, roomName=ROOM).status_code == 400
