"""`/api/voice/session`: starts, shows, lists, changes and ends calls in rooms (docs/calls-in-rooms.md)."""

from __future__ import annotations

from http import HTTPStatus

from django.conf import settings
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from agents.organizations.api import CustomerView
from agents.organizations.principal import Principal
from agents.organizations.scopes import Scope
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call
from sessions.calls.queries import ListedCall, call_page
from sessions.calls.recording_links import recording_link
from sessions.calls.services import transcript_of
from sessions.rooms.models import RoomAgent
from sessions.rooms.services.agents import StatusRefused, agent_of
from sessions.rooms.services.calls import (
    EndedMeanwhile,
    OpenedCall,
    RoomTaken,
    WantedCall,
    end_room_call,
    open_room_call,
)
from sessions.rooms.services.changes import NoAgentInCall, StateRefused, change_call
from voiceapp.core.api.errors import ApiError, FormError
from voiceapp.core.api.timestamps import iso_z
from voiceapp.core.limits.limit import READ, SESSION_CREATION
from voiceapp.providers.livekit.errors import LiveKitError

from .call_fields import CallChange, CallsQuery, NewCall
from .room_view import Access, RoomQuery, checked, find_room_call, livekit_refusal, read_query

NOT_CREATED = "Failed to create session"
ACCESS_DENIED = "Access denied"
NEW_TITLES = {"callType": "Invalid call type", "roomName": "Invalid roomName"}
TITLES = {
    "roomName": "Missing roomName",
    "status": "Invalid status",
    "agentStatus": "Invalid status",
}


class CallView(CustomerView):
    scope_area = "calls"
    limits = {"POST": SESSION_CREATION, "GET": READ}

    def post(self, request: Request) -> Response:
        asked = checked(NewCall(data=request.data), titles=NEW_TITLES)
        wanted = WantedCall(
            call_type=asked["callType"],
            room_name=asked.get("roomName", ""),
            callee=asked.get("calleeId", ""),
            is_recorded=asked["enableRecording"],
            has_agent=asked["enableAiAgent"],
            system_prompt=asked["systemPrompt"],
            voice=asked["voice"],
        )
        opened = open_or_refuse(self.principal, wanted)
        return Response(
            {"success": True, "message": "Voice session created successfully", "session": opened_session(opened)}
        )

    def get(self, request: Request) -> Response:
        query = read_query(CallsQuery, request, titles=TITLES)
        if "roomName" not in query:
            return self._list(status=query.get("status", ""), limit=query["limit"], offset=query["offset"])
        call = find_room_call(self.principal, query["roomName"], access=Access.READ)
        return Response({"success": True, "session": self._session(call)})

    def patch(self, request: Request) -> Response:
        asked = checked(CallChange(data=request.data), titles=TITLES)
        if asked.keys() == {"roomName"}:
            raise FormError("Nothing to update", "Give status, agentStatus or metadata.")
        call = self._writable(asked["roomName"])
        try:
            change_call(
                call,
                state=asked.get("status", ""),
                agent_status=asked.get("agentStatus", ""),
                metadata=asked.get("metadata"),
            )
        except (StateRefused, StatusRefused) as exc:
            raise ApiError(HTTPStatus.BAD_REQUEST, "Invalid status", str(exc)) from exc
        except NoAgentInCall as exc:
            raise ApiError(HTTPStatus.NOT_FOUND, "Agent not found", str(exc)) from exc
        return Response({"success": True, "message": "Session updated successfully"})

    def delete(self, request: Request) -> Response:
        call = self._writable(read_query(RoomQuery, request, titles=TITLES)["roomName"])
        end_room_call(call, reason=EndReason.ENDED_BY_REQUEST)
        call.refresh_from_db(fields=["connected_at", "ended_at"])
        return Response({"success": True, "message": "Session ended successfully", "duration": call.duration_so_far_s})

    def _writable(self, room_name: str) -> Call:
        return find_room_call(self.principal, room_name, access=Access.WRITE, titles={403: ACCESS_DENIED})

    def _list(self, *, status: str, limit: int, offset: int) -> Response:
        page = call_page(self.principal, status=status, limit=limit, offset=offset)
        sessions = [listed_session(each) for each in page.calls]
        counts = {"count": len(sessions), "total": page.total, "limit": limit, "offset": offset}
        return Response({"success": True, **counts, "sessions": sessions})

    def _session(self, call: Call) -> dict[str, object]:
        agent = agent_of(call)
        may_fetch = self.principal.may(Scope.RECORDINGS_READ, call.organization_id)
        return {
            **told(call),
            "recordingUrl": recording_link(call) if may_fetch else None,
            "transcript": transcript_of(call),
            "metadata": call.metadata,
            "agentStatus": agent.status if agent else None,
            "agentAvailable": agent is not None and agent.status == RoomAgent.Status.ACTIVE,
        }


def told(call: Call) -> dict[str, object]:
    """What a call on its own and one in a list have in common."""
    return {
        "callId": str(call.pk),
        "roomName": call.room_name,
        "callType": call.call_type,
        "status": call.state,
        "startedAt": iso_z(call.created_at),
        "connectedAt": iso_z(call.connected_at),
        "endedAt": iso_z(call.ended_at),
        "duration": call.duration_so_far_s,
    }


def listed_session(listed: ListedCall) -> dict[str, object]:
    return {
        **told(listed.call),
        "hasRecording": listed.has_recording,
        "hasTranscript": listed.has_transcript,
        "createdAt": iso_z(listed.call.created_at),
    }


def open_or_refuse(principal: Principal, wanted: WantedCall) -> OpenedCall:
    """Raises ApiError: 400, 409, 500 and 503, and then nothing was left behind."""
    if wanted.callee and wanted.callee == principal.subject:
        raise serializers.ValidationError({"calleeId": ["Nobody can call themselves."]})
    try:
        return open_room_call(principal, wanted)
    except RoomTaken as exc:
        raise ApiError(HTTPStatus.CONFLICT, "Active session already exists for this room", str(exc)) from exc
    except EndedMeanwhile as exc:
        raise ApiError(HTTPStatus.CONFLICT, "Session ended", str(exc)) from exc
    except LiveKitError as exc:
        raise livekit_refusal(exc, title=NOT_CREATED) from exc


def opened_session(opened: OpenedCall) -> dict[str, object]:
    """A call that has just begun to ring."""
    call, ticket = opened.call, opened.ticket
    return {
        "callId": str(call.pk),
        "roomName": call.room_name,
        "participantName": ticket.room_pass.name,
        "token": ticket.token,
        "livekitHost": ticket.server_url,
        "callType": call.call_type,
        "status": call.state,
        "agentSpawned": opened.agent is not None,
        "agentStatus": opened.agent.status if opened.agent else None,
        "recordingEnabled": call.is_recording_wanted and bool(settings.LIVEKIT_RECORDING_BUCKET),
        "createdAt": iso_z(call.created_at),
    }
