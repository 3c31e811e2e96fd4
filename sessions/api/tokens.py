"""`POST /api/voice/token`: a token for a call's room, which begins if there is none (docs/calls-in-rooms.md).

It is asked in the voice API's words or in LiveKit's standard ones (`TokenSource.endpoint` of its clients), and answers
in the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api import CustomerView
from agents.principal import Principal
from sessions.api.call_fields import TokenRequest, TokenSourceRequest
from sessions.api.calls import open_or_refuse
from sessions.api.refusals import checked
from sessions.api.rooms import livekit_refusal
from sessions.models import Call, RoomAgent
from sessions.models.call import CallType
from sessions.services.room_agents import agent_of
from sessions.services.room_calls import WantedCall
from sessions.services.room_passes import Ticket, ticket_to_join
from voiceapp.api.errors import ApiError
from voiceapp.api.limits import SESSION_CREATION
from voiceapp.providers.livekit_errors import LiveKitError

STANDARD = frozenset(TokenSourceRequest().fields)
OURS = frozenset(TokenRequest().fields)
TITLES = {"roomType": "Invalid room type", "roomName": "Invalid roomName", "room_name": "Invalid room_name"}


@dataclass(frozen=True, slots=True)
class Joining:
    """A call, whether an agent is in it or expected, and how to join."""

    call: Call
    has_agent: bool
    ticket: Ticket


class TokenView(CustomerView):
    scope_area = "calls"
    limits = {"POST": SESSION_CREATION}

    def post(self, request: Request) -> Response:
        given = set(request.data) if isinstance(request.data, Mapping) else set()
        if not given & STANDARD:
            return self._in_our_words(request)
        if given & OURS:
            raise ParseError("Ask in this API's words or in LiveKit's, not in both.")
        return self._in_livekits_words(request)

    def _in_our_words(self, request: Request) -> Response:
        asked = checked(TokenRequest(data=request.data), titles=TITLES)
        wanted = WantedCall(
            call_type=asked["roomType"],
            room_name=asked.get("roomName", ""),
            is_recorded=False,
            has_agent=asked["spawnAiAgent"],
            participant_name=asked["participantName"],
        )
        joining = join(self.principal, wanted)
        return Response(
            {
                "token": joining.ticket.token,
                "roomName": joining.call.room_name,
                "participantName": joining.ticket.room_pass.name,
                "livekitHost": joining.ticket.server_url,
                "agentSpawned": joining.has_agent,
                "callId": str(joining.call.pk),
            }
        )

    def _in_livekits_words(self, request: Request) -> Response:
        asked = checked(TokenSourceRequest(data=request.data), titles=TITLES)
        wanted = WantedCall(
            room_name=asked.get("room_name") or "",
            participant_name=asked.get("participant_name") or "",
            is_recorded=False,
        )
        ticket = join(self.principal, wanted).ticket
        return Response({"server_url": ticket.server_url, "participant_token": ticket.token})


def join(principal: Principal, wanted: WantedCall) -> Joining:
    """The live call of that room, for those who may join it; without one, a new call. Raises ApiError."""
    name = wanted.room_name
    live = Call.objects.live().in_rooms().filter(room_name=name).first() if name else None
    if live is not None:
        return join_live(principal, live, name=wanted.participant_name)
    if wanted.call_type == CallType.USER_TO_USER:
        raise ApiError(
            HTTPStatus.BAD_REQUEST,
            "Bad Request",
            "Whom a user-to-user call is for has to be named: start it with POST /api/voice/session.",
        )
    opened = open_or_refuse(principal, wanted)
    return Joining(opened.call, opened.agent is not None, opened.ticket)


def join_live(principal: Principal, call: Call, *, name: str) -> Joining:
    if not Call.objects.reachable_by(principal).filter(pk=call.pk).exists():
        raise ApiError(HTTPStatus.NOT_FOUND, "Session not found", "There is no call in a room of this name for you.")
    try:
        ticket = ticket_to_join(call, principal, name=name)
    except LiveKitError as exc:
        raise livekit_refusal(exc, title="Failed to create token") from exc
    if ticket is None:
        raise ApiError(
            HTTPStatus.FORBIDDEN,
            "Access denied to this session",
            "This call is for two; of an organisation's calls, its members join conferences.",
        )
    agent = agent_of(call)
    return Joining(call, agent is not None and agent.status != RoomAgent.Status.DISCONNECTED, ticket)
