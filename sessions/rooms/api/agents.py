"""`/api/voice/agent`: ask for an agent in a room, see it, say how it stands, remove it."""

from __future__ import annotations

from typing import Any

import structlog
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from agents.organizations.api import CustomerView
from sessions.calls.models import Call
from sessions.rooms.models import RoomAgent
from sessions.rooms.services.agents import AgentIsThere, StatusRefused, agent_of, change_agent_status
from sessions.rooms.services.dispatches import CallIsOver, NoAgent, RoomIsClosed, remove_agent, spawn_agent
from voiceapp.core.api.errors import ApiError
from voiceapp.core.api.strict_fields import TextField
from voiceapp.core.api.strict_json import StrictSerializer
from voiceapp.core.api.timestamps import iso_z
from voiceapp.core.limits.limit import READ, REALTIME
from voiceapp.providers.livekit.errors import LiveKitError
from voiceapp.providers.openai.fields import MAX_PROMPT_LENGTH

from .room_view import (
    MOST_LISTED,
    Access,
    RoomNameField,
    RoomQuery,
    checked,
    find_room_call,
    livekit_refusal,
    read_query,
)

log = structlog.get_logger(__name__)

VOICES = ("alloy", "echo", "fable", "onyx", "nova", "shimmer")
DEFAULT_VOICE = "alloy"
NO_AGENT = "Agent not found"
TITLES = {"roomName": "Missing roomName", "status": "Invalid status"}


class SpawnRequest(StrictSerializer):
    roomName = RoomNameField()
    systemPrompt = TextField(
        required=False, default="", allow_blank=True, max_length=MAX_PROMPT_LENGTH, help_text="In the place of our own."
    )
    voice = serializers.ChoiceField(VOICES, default=DEFAULT_VOICE)


class StatusRequest(StrictSerializer):
    roomName = RoomNameField()
    status = serializers.ChoiceField(RoomAgent.Status.values)


class AgentQuery(StrictSerializer):
    """Either of the two."""

    roomName = RoomNameField(required=False)
    listAll = serializers.BooleanField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if bool(attrs.get("roomName")) == bool(attrs.get("listAll")):
            raise serializers.ValidationError({"roomName": ["Give a room's name, or listAll=true."]})
        return attrs


class RoomAgentView(CustomerView):
    scope_area = "calls"
    limits = {"POST": REALTIME, "GET": READ}

    def post(self, request: Request) -> Response:
        asked = checked(SpawnRequest(data=request.data), titles=TITLES)
        call = find_room_call(self.principal, asked["roomName"], access=Access.WRITE)
        try:
            spawned = spawn_agent(call, system_prompt=asked["systemPrompt"], voice=asked["voice"])
        except AgentIsThere as exc:
            raise ApiError(409, "Agent already in this room", str(exc)) from exc
        except CallIsOver as exc:
            raise ApiError(400, "Call not active", str(exc)) from exc
        except RoomIsClosed as exc:
            raise ApiError(404, "Session not found", str(exc)) from exc
        except LiveKitError as exc:
            log.warning("agent_not_spawned", call_id=str(call.pk), kind=exc.kind, error=str(exc))
            raise livekit_refusal(exc, title="Failed to spawn agent") from exc
        session = {**agent_session(call, spawned.agent), "token": spawned.token, "serverUrl": spawned.server_url}
        return Response({"success": True, "message": "Agent spawned successfully", "session": session})

    def get(self, request: Request) -> Response:
        query = read_query(AgentQuery, request, titles=TITLES)
        if query.get("listAll"):
            return Response(self._all())
        call = find_room_call(self.principal, query["roomName"], access=Access.READ)
        agent = agent_of(call)
        return Response(
            {
                "success": True,
                "available": agent is not None and agent.status == RoomAgent.Status.ACTIVE,
                "session": agent_session(call, agent) if agent else None,
            }
        )

    def patch(self, request: Request) -> Response:
        asked = checked(StatusRequest(data=request.data), titles=TITLES)
        call = find_room_call(self.principal, asked["roomName"], access=Access.WRITE)
        agent = agent_of(call)
        if agent is None:
            raise ApiError(404, NO_AGENT, "No agent was ever asked for in this room.")
        status = asked["status"]
        try:
            change_agent_status(agent, status)
        except StatusRefused as exc:
            raise ApiError(400, "Invalid status", str(exc)) from exc
        return Response({"success": True, "message": f"Agent status updated to {status}"})

    def delete(self, request: Request) -> Response:
        query = read_query(RoomQuery, request, titles=TITLES)
        call = find_room_call(self.principal, query["roomName"], access=Access.WRITE)
        take_agent_out(call, missing=NO_AGENT)
        return Response({"success": True, "message": "Agent removed successfully"})

    def _all(self) -> dict[str, object]:
        present = RoomAgent.objects.present().readable_by(self.principal).select_related("call").order_by("-id")
        sessions = [agent_session(agent.call, agent) for agent in present[:MOST_LISTED]]
        return {"success": True, "count": len(sessions), "sessions": sessions}


def agent_session(call: Call, agent: RoomAgent) -> dict[str, object]:
    """An agent as the voice API shows it."""
    return {
        "roomName": call.room_name,
        "agentIdentity": agent.identity,
        "status": agent.status,
        "createdAt": iso_z(agent.created_at),
    }


def take_agent_out(call: Call, *, missing: str) -> None:
    """Raises ApiError: 404 with the title `missing`; while LiveKit cannot do it 503 or 500, and nothing is changed."""
    try:
        remove_agent(call)
    except NoAgent as exc:
        raise ApiError(404, missing, str(exc)) from exc
    except LiveKitError as exc:
        log.warning("agent_not_removed", call_id=str(call.pk), kind=exc.kind, error=str(exc))
        raise livekit_refusal(exc, title="Failed to remove agent") from exc
