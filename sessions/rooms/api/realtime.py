"""`/api/voice/realtime`: how a room's agent speaks with OpenAI, its state, and its end."""

from __future__ import annotations

import structlog
from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from sessions.rooms.api.agents import take_agent_out
from sessions.rooms.api.errors import (
    ACCESS_DENIED,
    AGENT_NOT_READY,
    AGENT_NOT_REMOVED,
    CALL_OR_AGENT_NOT_FOUND,
    LIVEKIT_AWAY,
    NO_AGENT_IN_CALL,
    REALTIME_NOT_STARTED,
    ROOM_MISSING,
    VOICE_NOT_CONFIGURED,
    livekit_error,
    livekit_problems,
)
from sessions.rooms.api.room_view import Access, RoomView
from sessions.rooms.serializers.realtime import (
    EndRealtimeResponse,
    RealtimeResponse,
    StartRealtimeRequest,
    StartRealtimeResponse,
)
from sessions.rooms.serializers.rooms import CallDetails, RoomQuery
from sessions.rooms.services.agents import agent_of
from sessions.rooms.services.configuration import AgentNotReady, configure_realtime
from sessions.rooms.services.dispatches import NoAgent
from voiceapp.core.api.errors import ApiError, raised_as, retry_after_of
from voiceapp.core.api.openapi import errors, samples
from voiceapp.core.api.samples import Sample
from voiceapp.core.limits.limit import READ, REALTIME
from voiceapp.providers.livekit.errors import LiveKitError
from voiceapp.providers.openai.client import OpenAIError, OpenAIErrorKind

logger = structlog.get_logger("realtime")

# An agent joins within a few seconds, or never.
AGENT_RETRY_S = 2


class RealtimeView(RoomView):
    limits = {"POST": REALTIME, "GET": READ}
    not_found = CALL_OR_AGENT_NOT_FOUND

    @extend_schema(
        operation_id="startRealtime",
        tags=["Realtime"],
        summary="Initialize the agent's realtime session",
        description="503 until the agent is in the room. The configuration has the shape of OpenAI's beta; OpenAI "
        "itself gets the same in its current shape.",
        request=StartRealtimeRequest,
        responses={
            200: StartRealtimeResponse,
            **errors(
                ROOM_MISSING,
                ACCESS_DENIED,
                CALL_OR_AGENT_NOT_FOUND,
                AGENT_NOT_READY,
                VOICE_NOT_CONFIGURED,
                LIVEKIT_AWAY,
            ),
        },
        extensions=samples(Sample("As soon as the agent has joined", body={"roomName": "$ROOM"}, retries=True)),
    )
    def post(self, request: Request) -> Response:
        body = StartRealtimeRequest.of_body(request)
        call = self.find_call(body["roomName"], Access.WRITE)
        try:
            with raised_as({NoAgent: CALL_OR_AGENT_NOT_FOUND}):
                configuration = configure_realtime(call, model=body.get("model", settings.REALTIME_MODEL))
        except AgentNotReady as exc:
            raise AGENT_NOT_READY.error(retry_after_s=AGENT_RETRY_S) from exc
        except LiveKitError as exc:
            raise livekit_error(exc, failed=REALTIME_NOT_STARTED) from exc
        except OpenAIError as exc:
            logger.warning("realtime_not_configured", kind=exc.kind, error=str(exc))
            raise key_error(exc) from exc
        return Response(StartRealtimeResponse(configuration).data)

    @extend_schema(
        operation_id="readRealtime",
        tags=["Realtime"],
        summary="Read the state of the realtime session",
        parameters=[RoomQuery],
        responses={200: RealtimeResponse, **errors(ROOM_MISSING, ACCESS_DENIED, CALL_OR_AGENT_NOT_FOUND)},
        extensions=samples(Sample("Read it", query={"roomName": "$ROOM"})),
    )
    def get(self, request: Request) -> Response:
        call = self.find_call(RoomQuery.of_query(request)["roomName"], Access.READ)
        return Response(RealtimeResponse(CallDetails(call, agent_of(call))).data)

    @extend_schema(
        operation_id="endRealtime",
        tags=["Realtime"],
        summary="End the realtime session",
        description="The agent leaves the room. The call goes on, and may get another agent.",
        parameters=[RoomQuery],
        responses={
            200: EndRealtimeResponse,
            **errors(
                ROOM_MISSING,
                ACCESS_DENIED,
                CALL_OR_AGENT_NOT_FOUND,
                NO_AGENT_IN_CALL,
                *livekit_problems(AGENT_NOT_REMOVED),
            ),
        },
        extensions=samples(Sample("Remove the agent", query={"roomName": "$ROOM"})),
    )
    def delete(self, request: Request) -> Response:
        call = self.find_call(RoomQuery.of_query(request)["roomName"], Access.WRITE)
        take_agent_out(call, missing=NO_AGENT_IN_CALL)
        return Response(EndRealtimeResponse(call).data)


def key_error(error: OpenAIError) -> ApiError:
    """Without a key for OpenAI no agent can speak: 503 either way, and a retry helps only where it may come."""
    if error.kind is OpenAIErrorKind.NOT_CONFIGURED:
        return VOICE_NOT_CONFIGURED.error(error.public_message)
    return LIVEKIT_AWAY.error(error.public_message, retry_after_s=retry_after_of(error))
