"""`POST /api/voice/token`: a token for a call's room, which begins if there is none (docs/reference/calls-in-rooms.md).

A request is in the voice API's fields or in LiveKit's standard ones (`TokenSource.endpoint` of its clients), and so is
the response. A body without fields may be either's: LiveKit's clients send `{}` for a room of their own. Its response
has both shapes at once.
"""

from __future__ import annotations

from collections.abc import Mapping

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.organizations.principal import Principal
from sessions.calls.models import Call
from sessions.rooms.api.calls import open_call
from sessions.rooms.api.errors import (
    NO_CALL_FOR_YOU,
    NO_CALL_YET,
    NOT_JOINABLE,
    ROOM_TAKEN,
    SESSION_ENDED,
    SESSION_NOT_CREATED,
    TOKEN_NOT_CREATED,
    livekit_error,
    livekit_problems,
)
from sessions.rooms.api.room_view import RoomView
from sessions.rooms.models import RoomAgent, RoomToken
from sessions.rooms.serializers.tokens import (
    Joining,
    TokenInBothShapes,
    TokenRequest,
    TokenResponse,
    TokenSourceRequest,
    TokenSourceResponse,
)
from sessions.rooms.services.agents import agent_of
from sessions.rooms.services.calls import WantedCall
from sessions.rooms.services.tokens import claim_callee, ticket_to_join
from voiceapp.core.api.errors import Problem
from voiceapp.core.api.openapi import any_of, errors, samples
from voiceapp.core.api.samples import Sample
from voiceapp.core.limits.limit import SESSION_CREATION
from voiceapp.providers.livekit.errors import LiveKitError

LIVEKITS = frozenset(TokenSourceRequest().fields)
OURS = frozenset(TokenRequest().fields)
MIXED_FIELDS = Problem(400, message="Use this API's fields or LiveKit's, not both.", code="invalid", malformed=True)


class TokenView(RoomView):
    limits = {"POST": SESSION_CREATION}

    @extend_schema(
        operation_id="createToken",
        tags=["Tokens"],
        summary="Join a call",
        description="For a live call's room if you may join it: it is yours, it is for you, or it is a conference of "
        "your organization. Of a call between two that names no callee, the second person to request a token is the "
        "callee. Without a live call in that room, or without a name, a new call begins. LiveKit's clients may use "
        "their own fields; identity, metadata, attributes and configuration are ignored. A body without fields gets "
        "both shapes at once.",
        request=any_of("CreateTokenRequest", TokenRequest, TokenSourceRequest),
        responses={
            200: any_of("CreateTokenResponse", TokenResponse, TokenSourceResponse, TokenInBothShapes),
            **errors(
                TokenRequest.invalid({"roomType": ['"radio" is not a valid choice.']}),
                MIXED_FIELDS,
                NOT_JOINABLE,
                NO_CALL_FOR_YOU,
                NO_CALL_YET,
                ROOM_TAKEN,
                SESSION_ENDED,
                *livekit_problems(SESSION_NOT_CREATED),
                TOKEN_NOT_CREATED,
            ),
        },
        extensions=samples(Sample("Join the call", body={"roomName": "$ROOM", "participantName": "John Doe"})),
    )
    def post(self, request: Request) -> Response:
        sent = set(request.data) if isinstance(request.data, Mapping) else set()
        if sent & LIVEKITS and sent & OURS:
            raise MIXED_FIELDS.error()
        if sent & LIVEKITS:
            return Response(TokenSourceResponse(self._join_as_livekit(request)).data)
        shape = TokenResponse if sent else TokenInBothShapes
        return Response(shape(self._join(request)).data)

    def _join(self, request: Request) -> Joining:
        body = TokenRequest.of_body(request)
        wanted = WantedCall(
            call_type=body["roomType"],
            room_name=body.get("roomName", ""),
            is_recorded=False,
            has_agent=body["spawnAiAgent"],
            participant_name=body["participantName"],
        )
        return join(self.principal, wanted, role=body.get("role", ""))

    def _join_as_livekit(self, request: Request) -> Joining:
        body = TokenSourceRequest.of_body(request)
        wanted = WantedCall(
            room_name=body.get("room_name") or "",
            participant_name=body.get("participant_name") or "",
            is_recorded=False,
        )
        return join(self.principal, wanted)


def join(principal: Principal, wanted: WantedCall, *, role: str = "") -> Joining:
    """The live call of that room, for those who may join it; without one, a new call. Raises ApiError."""
    name = wanted.room_name
    live = Call.objects.live().in_rooms().filter(room_name=name).first() if name else None
    if live is not None:
        return join_live(principal, live, name=wanted.participant_name, role=role)
    if role == RoomToken.Role.CALLEE:
        raise NO_CALL_YET.error()
    opened = open_call(principal, wanted)
    return Joining(opened.call, opened.agent is not None, opened.ticket)


def join_live(principal: Principal, call: Call, *, name: str, role: str = "") -> Joining:
    if not role:
        claim_callee(call, principal)
    if not Call.objects.reachable_by(principal).filter(pk=call.pk).exists():
        raise NO_CALL_FOR_YOU.error()
    try:
        ticket = ticket_to_join(call, principal, name=name, role=role)
    except LiveKitError as exc:
        raise livekit_error(exc, failed=TOKEN_NOT_CREATED) from exc
    if ticket is None:
        raise NOT_JOINABLE.error()
    agent = agent_of(call)
    return Joining(call, agent is not None and agent.status != RoomAgent.Status.DISCONNECTED, ticket)
