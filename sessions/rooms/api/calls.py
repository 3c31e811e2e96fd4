"""`/api/voice/session`: starts, reads, lists, updates and ends calls in rooms (docs/reference/calls-in-rooms.md)."""

from __future__ import annotations

from dataclasses import replace

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from agents.organizations.principal import Principal
from agents.organizations.scopes import Scope
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call
from sessions.calls.queries import call_page
from sessions.calls.recording_links import recording_link
from sessions.calls.services import transcript_of
from sessions.rooms.api.errors import (
    ACCESS_DENIED,
    AGENT_NOT_FOUND,
    CHANGE_DENIED,
    INVALID_AGENT_STATUS,
    INVALID_STATE,
    NOTHING_TO_UPDATE,
    PHONES_NOT_CONFIGURED,
    ROOM_MISSING,
    ROOM_TAKEN,
    SESSION_ENDED,
    SESSION_NOT_CREATED,
    SESSION_NOT_FOUND,
    livekit_error,
    livekit_problems,
)
from sessions.rooms.api.room_view import Access, RoomView
from sessions.rooms.serializers.calls import (
    NO_CALLEE,
    EndSessionResponse,
    SessionResponse,
    SessionsQuery,
    SessionsResponse,
    StartSessionRequest,
    StartSessionResponse,
    UpdateSessionRequest,
    UpdateSessionResponse,
)
from sessions.rooms.serializers.rooms import MOST_LISTED, CallDetails, RoomQuery
from sessions.rooms.services.agents import StatusRefused, agent_of
from sessions.rooms.services.calls import (
    EndedMeanwhile,
    OnWritten,
    OpenedCall,
    RoomTaken,
    WantedCall,
    end_room_call,
    ignore,
    open_room_call,
)
from sessions.rooms.services.changes import NoAgentInCall, StateRefused, change_call
from sessions.rooms.services.phones import NoTrunk, PhoneRefused, is_phone, number_to_dial
from voiceapp.core.api.errors import raised_as
from voiceapp.core.api.openapi import any_of, errors, samples
from voiceapp.core.api.samples import Sample, shell_line
from voiceapp.core.limits.limit import READ, SESSION_CREATION
from voiceapp.providers.livekit.errors import LiveKitError

OTHER_CALL = Sample("", body={"callType": "conference"}, keeps=("OTHER", "roomName"))
NOT_YOURSELF = "A caller cannot be the callee."


class CallView(RoomView):
    limits = {"POST": SESSION_CREATION, "GET": READ}

    @extend_schema(
        operation_id="startSession",
        tags=["Calls"],
        summary="Start a call",
        description="A support call gets an agent, which is `pending` until it joins the room. Join with the token "
        "within ten minutes. The call is `connected` once both sides are in the room. A `calleeId` that is a phone "
        "number, like +4930123456, is called by LiveKit's SIP trunk.",
        request=StartSessionRequest,
        responses={
            200: StartSessionResponse,
            **errors(
                StartSessionRequest.invalid({"callType": ['"radio" is not a valid choice.']}),
                StartSessionRequest.invalid({"calleeId": [NO_CALLEE]}),
                ROOM_TAKEN,
                SESSION_ENDED,
                PHONES_NOT_CONFIGURED,
                *livekit_problems(SESSION_NOT_CREATED),
            ),
        },
        extensions=samples(
            Sample(
                "Start a call with an agent, and keep its room's name",
                body={"callType": "support", "voice": "alloy", "enableRecording": False},
                keeps=("ROOM", "roomName"),
            )
        ),
    )
    def post(self, request: Request) -> Response:
        body = StartSessionRequest.of_body(request)
        wanted = WantedCall(
            call_type=body["callType"],
            room_name=body.get("roomName", ""),
            callee=body.get("calleeId", ""),
            is_recorded=body["enableRecording"],
            has_agent=body["enableAiAgent"],
            system_prompt=body["systemPrompt"],
            voice=body.get("voice", ""),
        )
        return Response(StartSessionResponse(open_call(self.principal, wanted)).data)

    @extend_schema(
        operation_id="readSessions",
        tags=["Calls"],
        summary="Read a call, or list your calls",
        description="With `roomName`, that call; without, a page of calls, newest first: for a person the calls that "
        "they started and those that are for them, for a key all of its organization. "
        f"`limit` is at most {MOST_LISTED}.",
        parameters=[SessionsQuery],
        responses={
            200: any_of("SessionOrSessions", SessionResponse, SessionsResponse),
            **errors(
                SessionsQuery.invalid({"limit": ["Ensure this value is greater than or equal to 1."]}),
                ACCESS_DENIED,
                SESSION_NOT_FOUND,
            ),
        },
        extensions=samples(
            Sample("Read one", query={"roomName": "$ROOM"}),
            Sample("List a page", query={"status": "ringing", "limit": "20", "offset": "0"}),
        ),
    )
    def get(self, request: Request) -> Response:
        query = SessionsQuery.of_query(request)
        if "roomName" in query:
            call = self.find_call(query["roomName"], Access.READ)
            return Response(SessionResponse(self._details(call)).data)
        status, limit, offset = query.get("status", ""), query["limit"], query["offset"]
        return Response(SessionsResponse(call_page(self.principal, status=status, limit=limit, offset=offset)).data)

    @extend_schema(
        operation_id="updateSession",
        tags=["Calls"],
        summary="Update a call's status, its agent's status or its metadata",
        description="A call goes from `pending` to `ringing` to `connected` to `completed`; `missed` before it is "
        "connected, or `failed`. Ended calls do not change. `metadata` is an object of up to 8 KB and replaces the "
        "former one.",
        request=UpdateSessionRequest,
        responses={
            200: UpdateSessionResponse,
            **errors(
                ROOM_MISSING,
                INVALID_STATE,
                INVALID_AGENT_STATUS,
                NOTHING_TO_UPDATE,
                CHANGE_DENIED,
                SESSION_NOT_FOUND,
                AGENT_NOT_FOUND,
            ),
        },
        extensions=samples(
            Sample(
                "Set the status and metadata",
                body={"roomName": "$ROOM", "status": "connected", "metadata": {"ticket": "4711"}},
            )
        ),
    )
    def patch(self, request: Request) -> Response:
        body = UpdateSessionRequest.of_body(request)
        if body.keys() == {"roomName"}:
            raise NOTHING_TO_UPDATE.error()
        call = self.find_call(body["roomName"], Access.WRITE, denied=CHANGE_DENIED)
        with raised_as(
            {StateRefused: INVALID_STATE, StatusRefused: INVALID_AGENT_STATUS, NoAgentInCall: AGENT_NOT_FOUND}
        ):
            change_call(
                call,
                state=body.get("status", ""),
                agent_status=body.get("agentStatus", ""),
                metadata=body.get("metadata"),
            )
        return Response(UpdateSessionResponse(call).data)

    @extend_schema(
        operation_id="endSession",
        tags=["Calls"],
        summary="End a call",
        description="Its room is closed. A call that never was connected becomes `missed`. Never rate limited.",
        parameters=[RoomQuery],
        responses={200: EndSessionResponse, **errors(ROOM_MISSING, CHANGE_DENIED, SESSION_NOT_FOUND)},
        extensions=samples(
            Sample(
                "Start another call and end it",
                query={"roomName": "$OTHER"},
                before=shell_line(OTHER_CALL, method="POST", path="/api/voice/session"),
            )
        ),
    )
    def delete(self, request: Request) -> Response:
        call = self.find_call(RoomQuery.of_query(request)["roomName"], Access.WRITE, denied=CHANGE_DENIED)
        end_room_call(call, reason=EndReason.ENDED_BY_REQUEST)
        call.refresh_from_db(fields=["connected_at", "ended_at"])
        return Response(EndSessionResponse(call).data)

    def _details(self, call: Call) -> CallDetails:
        may_fetch = self.principal.may(Scope.RECORDINGS_READ, call.organization_id)
        return CallDetails(
            call=call,
            agent=agent_of(call),
            recording_url=recording_link(call, self.principal) if may_fetch else None,
            transcript=transcript_of(call),
        )


def open_call(principal: Principal, wanted: WantedCall, *, on_written: OnWritten = ignore) -> OpenedCall:
    """Raises ApiError: 400, 409, 500 and 503, and then nothing was left behind."""
    if wanted.callee and wanted.callee == principal.subject:
        raise serializers.ValidationError({"calleeId": [NOT_YOURSELF]})
    if is_phone(wanted.callee):
        wanted = replace(wanted, callee=_number_to_dial(principal, wanted.callee))
    try:
        with raised_as({RoomTaken: ROOM_TAKEN, EndedMeanwhile: SESSION_ENDED}):
            return open_room_call(principal, wanted, on_written=on_written)
    except LiveKitError as exc:
        raise livekit_error(exc, failed=SESSION_NOT_CREATED) from exc


def _number_to_dial(principal: Principal, callee: str) -> str:
    try:
        with raised_as({NoTrunk: PHONES_NOT_CONFIGURED}):
            return number_to_dial(principal, callee)
    except PhoneRefused as error:
        raise serializers.ValidationError({"calleeId": [str(error)]}) from error
