"""`/api/voice/recording`: starts, reads, updates and stops recordings of calls (docs/reference/recordings.md)."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from recordings.api_errors import (
    ALREADY_RECORDING,
    CALL_NOT_ACTIVE,
    CALL_NOT_FOUND,
    DECLINED,
    LIST_DENIED,
    NO_ACTIVE_RECORDING,
    NO_ROOM,
    NO_SUCH_RECORDING,
    NOT_ALONE,
    NOT_AVAILABLE,
    NOT_CONFIGURED,
    NOT_READ,
    NOT_RECORDED,
    NOT_SIGNED,
    NOT_STARTED,
    NOT_STOPPED,
    NOT_UPDATED,
    NOTHING_TO_UPDATE,
    recording_errors,
)
from recordings.models import Recording
from recordings.queries import calls_named, find_recording, newest_recording, running_recordings
from recordings.serializers import (
    RecordingLinkResponse,
    RecordingResponse,
    RecordingsQuery,
    RecordingsResponse,
    StartRecordingRequest,
    StartRecordingResponse,
    StopRecordingResponse,
    UpdateRecordingRequest,
    UpdateRecordingResponse,
)
from recordings.services.access import Way, listener_name, note_access
from recordings.services.starting import start_recording
from recordings.services.stopping import amend_recording, stop_recording
from recordings.storage import recording_link, recording_link_if_possible
from sessions.calls.models import CallQuerySet
from sessions.rooms.api.errors import CHANGE_DENIED, ROOM_MISSING, livekit_problems
from sessions.rooms.api.room_view import Access, RoomView
from sessions.rooms.serializers.rooms import MOST_LISTED, RoomQuery
from voiceapp.core.api.openapi import any_of, errors, samples
from voiceapp.core.api.samples import Sample
from voiceapp.core.limits.limit import READ, RECORDING


class RecordingView(RoomView):
    """Recording a call needs write access to it; reading its recordings needs read access."""

    scope_area = "recordings"
    limits = {"POST": RECORDING, "GET": READ, "PATCH": RECORDING}
    not_found = CALL_NOT_FOUND
    denied = CHANGE_DENIED

    def calls_named(self, room_name: str) -> CallQuerySet:
        """A recording that was made is read and amended whatever call it is of; started and stopped in rooms alone."""
        if self.request.method in ("GET", "PATCH"):
            return calls_named(self.principal, room_name)
        return super().calls_named(room_name)

    @extend_schema(
        operation_id="startRecording",
        tags=["Recordings"],
        summary="Start recording a call",
        description="LiveKit's egress records, or the agent in the room, as the agent's settings say. `outputPath` is "
        "a name that the file is offered under, never a path.",
        request=StartRecordingRequest,
        responses={
            200: StartRecordingResponse,
            **errors(
                ROOM_MISSING,
                StartRecordingRequest.invalid({"fileType": ['"wav" is not a valid choice.']}),
                CALL_NOT_ACTIVE,
                CHANGE_DENIED,
                CALL_NOT_FOUND,
                ALREADY_RECORDING,
                DECLINED,
                NOT_CONFIGURED,
                NOT_AVAILABLE,
                *livekit_problems(NOT_STARTED),
            ),
        },
        extensions=samples(Sample("Start", body={"roomName": "$ROOM", "fileType": "mp4"})),
    )
    def post(self, request: Request) -> Response:
        body = StartRecordingRequest.of_body(request)
        call = self.find_call(body["roomName"], Access.WRITE)
        with recording_errors(NOT_STARTED):
            recording = start_recording(call, file_type=body["fileType"], label=body["outputPath"])
        return Response(StartRecordingResponse(recording).data)

    @extend_schema(
        operation_id="readRecordings",
        tags=["Recordings"],
        summary="Read a recording or its link, or list the active ones",
        description="With `roomName` the call's newest recording; with `egressId` as well, a link to that one's file; "
        "a call without a room, such as one by phone, is named by its `callId` in the place of `roomName`; "
        "with `listAll=true` alone, for owners and managers, the newest "
        f"{MOST_LISTED} that are active in your organization.",
        parameters=[RecordingsQuery],
        responses={
            200: any_of("RecordingOrRecordings", RecordingResponse, RecordingLinkResponse, RecordingsResponse),
            **errors(
                NO_ROOM,
                NOT_ALONE,
                CHANGE_DENIED,
                LIST_DENIED,
                CALL_NOT_FOUND,
                NOT_RECORDED,
                NO_SUCH_RECORDING,
                NOT_SIGNED,
            ),
        },
        extensions=samples(
            Sample("Of a room", query={"roomName": "$ROOM"}),
            Sample("All active ones", query={"listAll": "true"}),
        ),
    )
    def get(self, request: Request) -> Response:
        query = RecordingsQuery.of_query(request)
        room = query.get("roomName")
        if query["listAll"]:
            return self._list_all(is_alone=query.keys() == {"listAll"})
        if not room:
            raise NO_ROOM.error()
        if "egressId" in query:
            return self._link(room, query["egressId"])
        with recording_errors(NOT_READ):
            recording = newest_recording(self.find_call(room, Access.READ))
        link = self._noted(recording, recording_link_if_possible(recording))
        return Response(RecordingResponse(recording, context={"link": link}).data)

    @extend_schema(
        operation_id="updateRecording",
        tags=["Recordings"],
        summary="Update the call's newest recording",
        description="Give `transcript`, `recordingUrl` or both. Your `recordingUrl` replaces our own link.",
        request=UpdateRecordingRequest,
        responses={
            200: UpdateRecordingResponse,
            **errors(ROOM_MISSING, NOTHING_TO_UPDATE, CHANGE_DENIED, CALL_NOT_FOUND, NOT_RECORDED),
        },
        extensions=samples(
            Sample("Add a transcript", body={"roomName": "$ROOM", "transcript": "Hello. How can I help?"})
        ),
    )
    def patch(self, request: Request) -> Response:
        body = UpdateRecordingRequest.of_body(request)
        call = self.find_call(body["roomName"], Access.WRITE)
        with recording_errors(NOT_UPDATED):
            recording = amend_recording(call, transcript=body.get("transcript"), url=body.get("recordingUrl"))
        return Response(UpdateRecordingResponse(recording).data)

    @extend_schema(
        operation_id="stopRecording",
        tags=["Recordings"],
        summary="Stop recording a call",
        parameters=[RoomQuery],
        responses={
            200: StopRecordingResponse,
            **errors(
                ROOM_MISSING,
                CHANGE_DENIED,
                CALL_NOT_FOUND,
                NO_ACTIVE_RECORDING,
                NOT_CONFIGURED,
                NOT_AVAILABLE,
                *livekit_problems(NOT_STOPPED),
            ),
        },
        extensions=samples(Sample("Stop", query={"roomName": "$ROOM"})),
    )
    def delete(self, request: Request) -> Response:
        room = RoomQuery.of_query(request)["roomName"]
        with recording_errors(NOT_STOPPED):
            recording = stop_recording(self.find_call(room, Access.WRITE))
        link = self._noted(recording, recording_link_if_possible(recording))
        return Response(StopRecordingResponse(recording, context={"link": link}).data)

    def _link(self, room: str, egress_id: str) -> Response:
        with recording_errors(NOT_READ):
            recording = find_recording(self.principal, room, egress_id)
            if recording is None:
                self.find_call(room, Access.READ)
                raise NO_SUCH_RECORDING.error()
            link = self._noted(recording, recording_link(recording))
        return Response(RecordingLinkResponse(recording, context={"link": link}).data)

    def _list_all(self, *, is_alone: bool) -> Response:
        if not is_alone:
            raise NOT_ALONE.error()
        running = running_recordings(self.principal).order_by("-id")
        return Response(RecordingsResponse(list(running[:MOST_LISTED])).data)

    def _noted(self, recording: Recording, link: str | None) -> str | None:
        if link:
            note_access(recording, by=listener_name(self.principal), way=Way.API)
        return link
