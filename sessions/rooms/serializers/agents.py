"""Requests and responses of `/api/voice/agent`."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from sessions.calls.models import Call
from sessions.rooms.models import RoomAgent
from sessions.rooms.serializers.rooms import (
    HOST,
    ROOM,
    ROOM_TITLES,
    TOKEN,
    VOICE_HELP,
    VOICES,
    RoomNameField,
    examples,
)
from sessions.rooms.services.dispatches import SpawnedAgent
from voiceapp.core.api.fields import ConstantField, TextField, TimestampField, TruthField
from voiceapp.core.api.strict_json import StrictSerializer
from voiceapp.providers.openai.fields import MAX_PROMPT_LENGTH

NEITHER = {"roomName": ["Give a room's name, or listAll=true."]}
AGENT = {
    "roomName": ROOM,
    "agentIdentity": "ai-agent-1640995200",
    "status": "active",
    "createdAt": "2024-01-01T00:00:00Z",
}


@extend_schema_serializer(
    examples=examples(flower_shop={"roomName": ROOM, "systemPrompt": "You sell flowers.", "voice": "alloy"})
)
class SpawnAgentRequest(StrictSerializer):
    titles = ROOM_TITLES

    roomName = RoomNameField()
    systemPrompt = TextField(
        required=False, default="", allow_blank=True, max_length=MAX_PROMPT_LENGTH, help_text="In the place of our own."
    )
    voice = serializers.ChoiceField(VOICES, required=False, help_text=VOICE_HELP)


@extend_schema_serializer(
    examples=examples(active={"roomName": ROOM, "status": "active"}, silent={"roomName": ROOM, "silent": True})
)
class UpdateAgentRequest(StrictSerializer):
    titles = ROOM_TITLES

    roomName = RoomNameField()
    status = serializers.ChoiceField(RoomAgent.Status.values, required=False)
    silent = TruthField(required=False, help_text="It listens only, until it is set to false.")


class AgentsQuery(StrictSerializer):
    """Either of the two."""

    titles = ROOM_TITLES

    roomName = RoomNameField(required=False)
    listAll = serializers.BooleanField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if bool(attrs.get("roomName")) == bool(attrs.get("listAll")):
            raise serializers.ValidationError(NEITHER)
        return attrs


class RoomAgentBody(serializers.Serializer[RoomAgent]):
    roomName = serializers.CharField(source="call.room_name")
    agentIdentity = serializers.CharField(source="identity", help_text="Its identity in the room.")
    status = serializers.ChoiceField(
        RoomAgent.Status.choices, help_text="`pending` until it joins the room, then `active`."
    )
    createdAt = TimestampField(source="created_at")


class SpawnedAgentBody(serializers.Serializer[SpawnedAgent]):
    roomName = serializers.CharField(source="agent.call.room_name")
    agentIdentity = serializers.CharField(source="agent.identity", help_text="Its identity in the room.")
    status = serializers.ChoiceField(RoomAgent.Status.choices, source="agent.status")
    createdAt = TimestampField(source="agent.created_at")
    token = serializers.CharField(help_text="Lets an agent of your own join in its place.")
    serverUrl = serializers.CharField(source="server_url", help_text="The address of LiveKit.")


@extend_schema_serializer(
    examples=examples(
        spawned={
            "success": True,
            "message": "Agent spawned successfully",
            "session": {**AGENT, "status": "pending", "token": TOKEN, "serverUrl": HOST},
        }
    )
)
class SpawnAgentResponse(serializers.Serializer[SpawnedAgent]):
    success = ConstantField(True)
    message = ConstantField("Agent spawned successfully")
    session = SpawnedAgentBody(source="*")


@extend_schema_serializer(examples=examples(of_a_room={"success": True, "available": True, "session": AGENT}))
class AgentResponse(serializers.Serializer[dict[str, RoomAgent | None]]):
    success = ConstantField(True)
    available = serializers.SerializerMethodField(help_text="It is in the room.")
    session = RoomAgentBody(source="agent", allow_null=True, help_text="Null: no agent was ever spawned.")

    def get_available(self, found: dict[str, RoomAgent | None]) -> bool:
        agent = found["agent"]
        return agent is not None and agent.status == RoomAgent.Status.ACTIVE


@extend_schema_serializer(examples=examples(all={"success": True, "count": 1, "sessions": [AGENT]}))
class AgentsResponse(serializers.Serializer[list[RoomAgent]]):
    success = ConstantField(True)
    count = serializers.SerializerMethodField()
    sessions = RoomAgentBody(many=True, source="*")

    def get_count(self, agents: list[RoomAgent]) -> int:
        return len(agents)


@extend_schema_serializer(examples=examples(updated={"success": True, "message": "Agent status updated to active"}))
class UpdateAgentResponse(serializers.Serializer[dict[str, Any]]):
    """Of the request."""

    success = ConstantField(True)
    message = serializers.SerializerMethodField()

    def get_message(self, body: dict[str, Any]) -> str:
        if "status" in body:
            return f"Agent status updated to {body['status']}"
        return "Agent is silent" if body["silent"] else "Agent speaks"


@extend_schema_serializer(examples=examples(removed={"success": True, "message": "Agent removed successfully"}))
class RemoveAgentResponse(serializers.Serializer[Call]):
    success = ConstantField(True)
    message = ConstantField("Agent removed successfully")
