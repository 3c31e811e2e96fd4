"""`/api/voice/recording`: starts, shows, stops and amends the recordings of calls in rooms (docs/recordings.md)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import structlog
from django.core.validators import URLValidator
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from agents.organizations.api import CustomerView
from recordings.models import Recording
from recordings.services.starting import start_recording
from recordings.services.stopping import amend_recording, stop_recording
from recordings.storage import LABEL, recording_link, recording_link_if_possible
from sessions.calls.models import Call
from sessions.rooms.api.room_view import (
    MOST_LISTED,
    Access,
    RoomNameField,
    RoomQuery,
    checked,
    find_room_call,
    read_query,
)
from voiceapp.core.api.errors import ApiError, FormError
from voiceapp.core.api.strict_fields import TextField
from voiceapp.core.api.strict_json import StrictSerializer
from voiceapp.core.api.timestamps import iso_z
from voiceapp.core.limits.limit import READ, RECORDING

from .api_errors import refusing
from .queries import find_recording, newest_recording, running_recordings

logger = structlog.get_logger("recordings")

LONGEST_TRANSCRIPT = 200_000
LONGEST_URL = 1000
# The API's words for our states: those of LiveKit's egress.
STATUSES = {
    Recording.State.STARTING: "starting",
    Recording.State.RECORDING: "active",
    Recording.State.STORING: "ending",
    Recording.State.STORED: "complete",
    Recording.State.CUT_SHORT: "limit_reached",
    Recording.State.CANCELED: "aborted",
    Recording.State.FAILED: "failed",
}
TITLES = {"roomName": "Missing roomName", "fileType": "Invalid file type"}
CALL_TITLES = {404: "Call session not found", 403: "Access denied"}


class LabelField(TextField):
    """`outputPath`: a name that the file is offered under, never a path."""

    def to_internal_value(self, data: Any) -> str:
        label = super().to_internal_value(data)
        if not LABEL.fullmatch(label):
            raise serializers.ValidationError(
                "A name, not a path: letters, digits, dot, underscore and hyphen, 1 to 64 of them, no dot in front."
            )
        return label


class StartRequest(StrictSerializer):
    roomName = RoomNameField()
    outputPath = LabelField(required=False, default="", trim_whitespace=False)
    fileType = serializers.ChoiceField(
        choices=Recording.FileType.values, required=False, default=Recording.FileType.MP4.value
    )


class AmendRequest(StrictSerializer):
    roomName = RoomNameField()
    transcript = TextField(required=False, allow_blank=True, trim_whitespace=False, max_length=LONGEST_TRANSCRIPT)
    recordingUrl = TextField(required=False, max_length=LONGEST_URL, validators=[URLValidator(schemes=["https"])])

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.keys() & {"transcript", "recordingUrl"}:
            raise FormError("Nothing to update", "Give transcript, recordingUrl or both.")
        return attrs


class RecordingQuery(StrictSerializer):
    roomName = RoomNameField(required=False)
    egressId = serializers.CharField(required=False, max_length=64)
    listAll = serializers.BooleanField(required=False, default=False)


class RecordingView(CustomerView):
    """Whoever may change a call may record it; who may only read it sees its recordings."""

    scope_area = "recordings"
    limits = {"POST": RECORDING, "GET": READ, "PATCH": RECORDING}

    def post(self, request: Request) -> Response:
        body = checked(StartRequest(data=request.data), titles=TITLES)
        call = self._call(body["roomName"], Access.WRITE)
        with refusing("Failed to start recording"):
            recording = start_recording(call, file_type=body["fileType"], label=body["outputPath"])
        return _success(message="Recording started successfully", recording=_started(recording))

    def get(self, request: Request) -> Response:
        query = read_query(RecordingQuery, request, titles=TITLES)
        room = query.get("roomName")
        if query["listAll"]:
            return self._list_all(is_alone=query.keys() == {"listAll"})
        if not room:
            message = "Name the call's room in roomName, or ask for listAll."
            raise FormError(TITLES["roomName"], message)
        if "egressId" in query:
            return self._link(room, query["egressId"])
        with refusing("Failed to read recording"):
            recording = newest_recording(self._call(room, Access.READ))
        return _success(
            recording=_shown(recording), recordingUrl=self._told(recording_link_if_possible(recording), room)
        )

    def patch(self, request: Request) -> Response:
        body = checked(AmendRequest(data=request.data), titles=TITLES)
        call = self._call(body["roomName"], Access.WRITE)
        with refusing("Failed to update recording"):
            amend_recording(call, transcript=body.get("transcript"), url=body.get("recordingUrl"))
        return _success(message="Recording metadata updated successfully")

    def delete(self, request: Request) -> Response:
        room = read_query(RoomQuery, request, titles=TITLES)["roomName"]
        with refusing("Failed to stop recording"):
            recording = stop_recording(self._call(room, Access.WRITE))
        link = self._told(recording_link_if_possible(recording), room)
        return _success(message="Recording stopped successfully", recordingUrl=link)

    def _call(self, room: str, access: Access) -> Call:
        return find_room_call(self.principal, room, access=access, titles=CALL_TITLES)

    def _link(self, room: str, egress_id: str) -> Response:
        with refusing("Failed to read recording"):
            recording = find_recording(self.principal, room, egress_id)
            if recording is None:
                self._call(room, Access.READ)
                raise ApiError(HTTPStatus.NOT_FOUND, "Recording not found", "This call has no such recording.")
            return _success(recordingUrl=self._told(recording_link(recording), room))

    def _list_all(self, *, is_alone: bool) -> Response:
        if not is_alone:
            raise FormError("Bad Request", "listAll stands alone.")
        running = running_recordings(self.principal).order_by("-id")
        found = [_shown(recording) for recording in running[:MOST_LISTED]]
        return _success(count=len(found), recordings=found)

    def _told(self, link: str | None, room: str) -> str | None:
        if link:
            logger.info("recording link given", room=room, subject=self.principal.subject)
        return link


def _success(**content: object) -> Response:
    return Response({"success": True, **content})


def _started(recording: Recording) -> dict[str, object]:
    return {
        "egressId": recording.external_id,
        "roomName": recording.call.room_name,
        "startedAt": iso_z(recording.started_at or recording.created_at),
        "status": _status(recording),
    }


def _shown(recording: Recording) -> dict[str, object]:
    return {**_started(recording), "isActive": recording.is_running}


def _status(recording: Recording) -> str:
    """In the API's words: `active` from the time that LiveKit has accepted it, as the API's clients expect."""
    return "active" if recording.is_running else STATUSES[Recording.State(recording.state)]
