"""`/api/voice/agent`: spawns, reads, updates and removes the agent in a room."""

from __future__ import annotations

import structlog
from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from sessions.calls.models import Call
from sessions.rooms.api.errors import (
    ACCESS_DENIED,
    AGENT_IN_ROOM,
    AGENT_NOT_FOUND,
    AGENT_NOT_REMOVED,
    AGENT_NOT_SPAWNED,
    CALL_NOT_ACTIVE,
    INVALID_AGENT_STATUS,
    NO_AGENT,
    NO_CHANGE_OF_AGENT,
    ROOM_CLOSED,
    ROOM_MISSING,
    SESSION_NOT_FOUND,
    livekit_error,
    livekit_problems,
)
from sessions.rooms.api.room_view import Access, RoomView
from sessions.rooms.models import RoomAgent
from sessions.rooms.serializers.agents import (
    NEITHER,
    AgentResponse,
    AgentsQuery,
    AgentsResponse,
    RemoveAgentResponse,
    SpawnAgentRequest,
    SpawnAgentResponse,
    UpdateAgentRequest,
    UpdateAgentResponse,
)
from sessions.rooms.serializers.rooms import MOST_LISTED, RoomQuery
from sessions.rooms.services.agents import AgentIsThere, StatusRefused, agent_of, change_agent_status
from sessions.rooms.services.dispatches import CallIsOver, NoAgent, RoomIsClosed, remove_agent, spawn_agent
from sessions.rooms.services.room_state import silence_agent
from voiceapp.core.api.errors import Problem, raised_as
from voiceapp.core.api.openapi import any_of, errors, samples
from voiceapp.core.api.samples import Sample
from voiceapp.core.limits.limit import READ, REALTIME
from voiceapp.providers.livekit.errors import LiveKitError

logger = structlog.get_logger("room_agents")


class RoomAgentView(RoomView):
    limits = {"POST": REALTIME, "GET": READ}

    @extend_schema(
        operation_id="spawnAgent",
        tags=["Agents"],
        summary="Spawn an agent in a call's room",
        description="LiveKit sends one; it is `pending` until it joins the room.",
        request=SpawnAgentRequest,
        responses={
            200: SpawnAgentResponse,
            **errors(
                ROOM_MISSING,
                CALL_NOT_ACTIVE,
                ACCESS_DENIED,
                SESSION_NOT_FOUND,
                ROOM_CLOSED,
                AGENT_IN_ROOM,
                *livekit_problems(AGENT_NOT_SPAWNED),
            ),
        },
        extensions=samples(Sample("Spawn another agent", body={"roomName": "$ROOM", "voice": "alloy"})),
    )
    def post(self, request: Request) -> Response:
        body = SpawnAgentRequest.of_body(request)
        call = self.find_call(body["roomName"], Access.WRITE)
        try:
            with raised_as({AgentIsThere: AGENT_IN_ROOM, CallIsOver: CALL_NOT_ACTIVE, RoomIsClosed: ROOM_CLOSED}):
                spawned = spawn_agent(call, system_prompt=body["systemPrompt"], voice=body.get("voice", ""))
        except LiveKitError as exc:
            logger.warning("agent_not_spawned", call_id=str(call.pk), kind=exc.kind, error=str(exc))
            raise livekit_error(exc, failed=AGENT_NOT_SPAWNED) from exc
        return Response(SpawnAgentResponse(spawned).data)

    @extend_schema(
        operation_id="readAgents",
        tags=["Agents"],
        summary="Read a room's agent, or list the agents in rooms",
        description="Give either `roomName` or `listAll=true`: the agents of your organization, the newest "
        f"{MOST_LISTED}.",
        parameters=[AgentsQuery],
        responses={
            200: any_of("AgentOrAgents", AgentResponse, AgentsResponse),
            **errors(AgentsQuery.invalid(NEITHER), ACCESS_DENIED, SESSION_NOT_FOUND),
        },
        extensions=samples(
            Sample("Read a room's agent", query={"roomName": "$ROOM"}),
            Sample("List all agents in rooms", query={"listAll": "true"}),
        ),
    )
    def get(self, request: Request) -> Response:
        query = AgentsQuery.of_query(request)
        if query.get("listAll"):
            present = RoomAgent.objects.present().readable_by(self.principal).select_related("call").order_by("-id")
            return Response(AgentsResponse(list(present[:MOST_LISTED])).data)
        call = self.find_call(query["roomName"], Access.READ)
        return Response(AgentResponse({"agent": agent_of(call)}).data)

    @extend_schema(
        operation_id="updateAgent",
        tags=["Agents"],
        summary="Silence an agent, or update its status",
        description="A `silent` agent stays in the room and listens; the call goes on. `status` is for an agent of "
        "your own: it goes from `pending` to `active` to `disconnected`, never back.",
        request=UpdateAgentRequest,
        responses={
            200: UpdateAgentResponse,
            **errors(
                ROOM_MISSING,
                INVALID_AGENT_STATUS,
                ACCESS_DENIED,
                SESSION_NOT_FOUND,
                AGENT_NOT_FOUND,
                NO_AGENT,
                NO_CHANGE_OF_AGENT,
            ),
        },
        extensions=samples(Sample("It has joined", body={"roomName": "$ROOM", "status": "active"})),
    )
    def patch(self, request: Request) -> Response:
        body = UpdateAgentRequest.of_body(request)
        if body.keys() == {"roomName"}:
            raise NO_CHANGE_OF_AGENT.error()
        call = self.find_call(body["roomName"], Access.WRITE)
        agent = agent_of(call)
        if agent is None:
            raise AGENT_NOT_FOUND.error()
        with transaction.atomic(), raised_as({StatusRefused: INVALID_AGENT_STATUS, NoAgent: NO_AGENT}):
            if "silent" in body:
                silence_agent(call, is_silent=body["silent"])
            if "status" in body:
                change_agent_status(agent, body["status"])
        return Response(UpdateAgentResponse(body).data)

    @extend_schema(
        operation_id="removeAgent",
        tags=["Agents"],
        summary="Remove the agent from the room",
        description="The call goes on.",
        parameters=[RoomQuery],
        responses={
            200: RemoveAgentResponse,
            **errors(ROOM_MISSING, ACCESS_DENIED, SESSION_NOT_FOUND, NO_AGENT, *livekit_problems(AGENT_NOT_REMOVED)),
        },
        extensions=samples(Sample("Remove it", query={"roomName": "$ROOM"})),
    )
    def delete(self, request: Request) -> Response:
        call = self.find_call(RoomQuery.of_query(request)["roomName"], Access.WRITE)
        take_agent_out(call, missing=NO_AGENT)
        return Response(RemoveAgentResponse(call).data)


def take_agent_out(call: Call, *, missing: Problem) -> None:
    """Raises ApiError: `missing`; while LiveKit cannot do it 503 or 500, and nothing is changed."""
    try:
        with raised_as({NoAgent: missing}):
            remove_agent(call)
    except LiveKitError as exc:
        logger.warning("agent_not_removed", call_id=str(call.pk), kind=exc.kind, error=str(exc))
        raise livekit_error(exc, failed=AGENT_NOT_REMOVED) from exc
