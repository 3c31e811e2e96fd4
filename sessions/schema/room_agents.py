"""`/api/voice/agent` in the API's documentation."""

from __future__ import annotations

from rest_framework import serializers

from sessions.rooms.api.agents import NO_AGENT, AgentQuery, RoomAgentView, SpawnRequest, StatusRequest
from sessions.rooms.api.room_view import MOST_LISTED, RoomQuery
from sessions.rooms.models import RoomAgent
from voiceapp.core.api.errors import FIELDS_REFUSED, Refusal
from voiceapp.core.api.schema import Area, Operation, Sample, describe, refused

from .answers import Done
from .rooms import ACCESS_DENIED, HOST, ROOM, ROOM_MISSING, SESSION_NOT_FOUND, TOKEN, livekit_refusals

AGENTS = Area("Agents", "The agent that speaks in a room: ask for one, see it, send it away.", place=60)
AGENT_NOT_FOUND = refused(404, NO_AGENT, "There is no agent in this room, and none is on its way.")
NEITHER = {"roomName": ["Give a room's name, or listAll=true."]}
AGENT = {
    "roomName": ROOM,
    "agentIdentity": "ai-agent-1640995200",
    "status": "active",
    "createdAt": "2024-01-01T00:00:00Z",
}


class AgentShown(serializers.Serializer[object]):
    roomName = serializers.CharField()
    agentIdentity = serializers.CharField(help_text="Who it is in the room.")
    status = serializers.ChoiceField(
        RoomAgent.Status.choices, help_text="`pending` until it is seen in the room, then `active`."
    )
    createdAt = serializers.DateTimeField()


class AgentSpawnedSession(AgentShown):
    token = serializers.CharField(help_text="Lets an agent of your own join in its place.")
    serverUrl = serializers.CharField(help_text="Where LiveKit is.")


class AgentSpawned(serializers.Serializer[object]):
    success = serializers.BooleanField()
    message = serializers.CharField()
    session = AgentSpawnedSession()


class AgentOfRoom(serializers.Serializer[object]):
    success = serializers.BooleanField()
    available = serializers.BooleanField(help_text="It is in the room.")
    session = AgentShown(allow_null=True, help_text="Null: no agent was ever asked for.")


class AgentsListed(serializers.Serializer[object]):
    success = serializers.BooleanField()
    count = serializers.IntegerField()
    sessions = AgentShown(many=True)


describe(
    RoomAgentView,
    post=Operation(
        "spawnAgent",
        AGENTS,
        "Spawn an agent in a call's room",
        "LiveKit is asked to send one; it is `pending` until it is seen in the room.",
        body=SpawnRequest,
        asked={"example": {"roomName": ROOM, "systemPrompt": "You sell flowers.", "voice": "alloy"}},
        answers=(AgentSpawned,),
        answered={
            "spawned": {
                "success": True,
                "message": "Agent spawned successfully",
                "session": {**AGENT, "status": "pending", "token": TOKEN, "serverUrl": HOST},
            }
        },
        refusals=(
            ROOM_MISSING,
            refused(400, "Call not active", "The call is over."),
            ACCESS_DENIED,
            SESSION_NOT_FOUND,
            refused(409, "Agent already in this room", "An agent is in this room, or is on its way. Remove it first."),
            *livekit_refusals("Failed to spawn agent"),
        ),
        samples=(Sample("Send another one", body={"roomName": "$ROOM", "voice": "alloy"}),),
    ),
    get=Operation(
        "readAgents",
        AGENTS,
        "See a room's agent, or list the agents that are there",
        f"Give either `roomName` or `listAll=true`: the agents of your organization, the newest {MOST_LISTED}.",
        query=AgentQuery,
        answers=(AgentOfRoom, AgentsListed),
        answered={
            "of a room": {"success": True, "available": True, "session": AGENT},
            "all": {"success": True, "count": 1, "sessions": [AGENT]},
        },
        refusals=(
            Refusal(400, "invalid", FIELDS_REFUSED, "Missing roomName", NEITHER),
            ACCESS_DENIED,
            SESSION_NOT_FOUND,
        ),
        samples=(
            Sample("Of a room", query={"roomName": "$ROOM"}),
            Sample("All that are there", query={"listAll": "true"}),
        ),
    ),
    patch=Operation(
        "updateAgent",
        AGENTS,
        "Say how an agent stands",
        "For an agent of your own. A status goes from `pending` to `active` to `disconnected`, never back.",
        body=StatusRequest,
        asked={"example": {"roomName": ROOM, "status": "active"}},
        answers=(Done,),
        answered={"updated": {"success": True, "message": "Agent status updated to active"}},
        refusals=(
            ROOM_MISSING,
            refused(400, "Invalid status", "The agent is disconnected; that does not become active again."),
            ACCESS_DENIED,
            SESSION_NOT_FOUND,
            refused(404, NO_AGENT, "No agent was ever asked for in this room."),
        ),
        samples=(Sample("It is there", body={"roomName": "$ROOM", "status": "active"}),),
    ),
    delete=Operation(
        "removeAgent",
        AGENTS,
        "Remove the agent from the room",
        "The call goes on.",
        query=RoomQuery,
        answers=(Done,),
        answered={"removed": {"success": True, "message": "Agent removed successfully"}},
        refusals=(
            ROOM_MISSING,
            ACCESS_DENIED,
            SESSION_NOT_FOUND,
            AGENT_NOT_FOUND,
            *livekit_refusals("Failed to remove agent"),
        ),
        samples=(Sample("Send it away", query={"roomName": "$ROOM"}),),
    ),
)
