"""`POST /api/voice/token`: a token for a call's room, which begins if there is none (docs/calls-in-rooms.md).

A request is in the voice API's fields or in LiveKit's standard ones (`TokenSource.endpoint` of its clients), and so is
the response. A body without fields may be either's: LiveKit's clients send `{}` for a room of their own. Its response
has both shapes at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from agents.organizations.api import CustomerView
from agents.organizations.principal import Principal
from sessions.calls.models import Call
from sessions.rooms.models import RoomAgent, RoomPass
from sessions.rooms.services.agents import agent_of
from sessions.rooms.services.calls import WantedCall
from sessions.rooms.services.tokens import Ticket, claim_callee, ticket_to_join
from voiceapp.core.api.errors import ApiError
from voiceapp.core.limits.limit import SESSION_CREATION
from voiceapp.providers.livekit.errors import LiveKitError

from .call_fields import TokenRequest, TokenSourceRequest
from .calls import open_or_refuse
from .room_view import checked, livekit_refusal

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
        if given & STANDARD and given & OURS:
            raise ParseError("Ask in this API's words or in LiveKit's, not in both.")
        wanted, role = self._wanted_of_livekit(request) if given & STANDARD else self._wanted(request)
        joining = join(self.principal, wanted, role=role)
        if given & STANDARD:
            return Response(in_livekits_shape(joining))
        return Response(in_our_shape(joining) if given else in_both_shapes(joining))

    def _wanted(self, request: Request) -> tuple[WantedCall, str]:
        asked = checked(TokenRequest(data=request.data), titles=TITLES)
        wanted = WantedCall(
            call_type=asked["roomType"],
            room_name=asked.get("roomName", ""),
            is_recorded=False,
            has_agent=asked["spawnAiAgent"],
            participant_name=asked["participantName"],
        )
        return wanted, asked.get("role", "")

    def _wanted_of_livekit(self, request: Request) -> tuple[WantedCall, str]:
        asked = checked(TokenSourceRequest(data=request.data), titles=TITLES)
        wanted = WantedCall(
            room_name=asked.get("room_name") or "",
            participant_name=asked.get("participant_name") or "",
            is_recorded=False,
        )
        return wanted, ""


def in_our_shape(joining: Joining) -> dict[str, object]:
    return {
        "token": joining.ticket.token,
        "roomName": joining.call.room_name,
        "participantName": joining.ticket.room_pass.name,
        "livekitHost": joining.ticket.server_url,
        "agentSpawned": joining.has_agent,
        "callId": str(joining.call.pk),
    }


def in_livekits_shape(joining: Joining) -> dict[str, object]:
    return {"server_url": joining.ticket.server_url, "participant_token": joining.ticket.token}


def in_both_shapes(joining: Joining) -> dict[str, object]:
    """LiveKit's as it is written in JSON and as its clients name the fields."""
    livekits = {"serverUrl": joining.ticket.server_url, "participantToken": joining.ticket.token}
    return {**in_our_shape(joining), **in_livekits_shape(joining), **livekits}


def join(principal: Principal, wanted: WantedCall, *, role: str = "") -> Joining:
    """The live call of that room, for those who may join it; without one, a new call. Raises ApiError."""
    name = wanted.room_name
    live = Call.objects.live().in_rooms().filter(room_name=name).first() if name else None
    if live is not None:
        return join_live(principal, live, name=wanted.participant_name, role=role)
    if role == RoomPass.Role.CALLEE:
        raise ApiError(HTTPStatus.NOT_FOUND, "Session not found", "There is no call yet that a callee could join.")
    opened = open_or_refuse(principal, wanted)
    return Joining(opened.call, opened.agent is not None, opened.ticket)


def join_live(principal: Principal, call: Call, *, name: str, role: str = "") -> Joining:
    if not role:
        claim_callee(call, principal)
    if not Call.objects.reachable_by(principal).filter(pk=call.pk).exists():
        raise ApiError(HTTPStatus.NOT_FOUND, "Session not found", "There is no call in a room of this name for you.")
    try:
        ticket = ticket_to_join(call, principal, name=name, role=role)
    except LiveKitError as exc:
        raise livekit_refusal(exc, title="Failed to create token") from exc
    if ticket is None:
        raise ApiError(
            HTTPStatus.FORBIDDEN,
            "Access denied to this session",
            "This call is for two; of an organization's calls, its members join conferences.",
        )
    agent = agent_of(call)
    return Joining(call, agent is not None and agent.status != RoomAgent.Status.DISCONNECTED, ticket)
