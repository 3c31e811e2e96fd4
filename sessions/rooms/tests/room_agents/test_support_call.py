"""The agent that comes with a support call: the same as one that is requested afterwards."""

from __future__ import annotations

from agents.tests.people import ApiClient, refused
from sessions.calls.models import Call
from voiceapp.providers.livekit.client import LiveKitClient

from .api_requests import AGENT, REALTIME
from .conftest import SeeAgent

SESSION = "/api/voice/session"


def test_it_is_present_without_a_request(alice: ApiClient, client: LiveKitClient, see_agent: SeeAgent) -> None:
    room = alice.post(SESSION, callType="support", systemPrompt="You sell flowers.", voice="nova").json()["session"][
        "roomName"
    ]
    assert refused(alice.post(REALTIME, roomName=room))[0] == 503
    assert refused(alice.post(AGENT, roomName=room))[0] == 409
    agent = see_agent(Call.objects.get(room_name=room))
    body = alice.post(REALTIME, roomName=room).json()
    assert body["agentIdentity"] == agent.identity
    assert body["configuration"]["instructions"] == "You sell flowers."
    assert (body["configuration"]["voice"], body["voiceUsed"]) == ("nova", "coral")


def test_it_is_removed_with_its_dispatch_and_another_may_come(
    alice: ApiClient, client: LiveKitClient, see_agent: SeeAgent
) -> None:
    room = alice.post(SESSION).json()["session"]["roomName"]
    first = see_agent(Call.objects.get(room_name=room))
    assert alice.delete(AGENT, roomName=room).status_code == 200
    assert (client.list_dispatches(room), client.list_participants(room)) == ((), ())
    second = alice.post(AGENT, roomName=room).json()["session"]["agentIdentity"]
    assert second != first.identity


def test_it_goes_with_the_call(alice: ApiClient, client: LiveKitClient, see_agent: SeeAgent) -> None:
    room = alice.post(SESSION).json()["session"]["roomName"]
    see_agent(Call.objects.get(room_name=room))
    assert alice.delete(SESSION, roomName=room).status_code == 200
    assert alice.get(AGENT, roomName=room).json()["session"]["status"] == "disconnected"
    assert refused(alice.post(AGENT, roomName=room)) == (400, "Call not active")
    assert refused(alice.delete(REALTIME, roomName=room)) == (404, "Call session or agent not found")
    assert alice.get(AGENT, listAll="true").json()["count"] == 0
