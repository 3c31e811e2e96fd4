"""Requests and responses of `/api/voice/recording`."""

from __future__ import annotations

from typing import Any

from django.core.validators import URLValidator
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from recordings.api_errors import NOTHING_TO_UPDATE
from recordings.models import Recording
from recordings.storage import LABEL
from sessions.rooms.serializers.rooms import ROOM, RoomNameField, examples
from voiceapp.core.api.fields import ConstantField, TextField, TimestampField
from voiceapp.core.api.strict_json import StrictSerializer
from voiceapp.core.api.timestamps import iso_z

LONGEST_TRANSCRIPT = 200_000
LONGEST_URL = 1000
# LiveKit's names of our states: the API has them.
STATUSES = {
    Recording.State.STARTING: "starting",
    Recording.State.RECORDING: "active",
    Recording.State.STORING: "ending",
    Recording.State.STORED: "complete",
    Recording.State.CUT_SHORT: "limit_reached",
    Recording.State.CANCELED: "aborted",
    Recording.State.FAILED: "failed",
}
# What LiveKit's egress writes.
FILE_TYPES = [Recording.FileType.MP4.value, Recording.FileType.OGG.value]
TITLES = {"roomName": "Missing roomName", "fileType": "Invalid file type"}
LINK_HELP = "Where the file is or will be; null where none is to come. Our own links expire after minutes."
RECORDING = {"egressId": "EG_abc123", "roomName": ROOM, "startedAt": "2024-01-01T00:00:30Z", "status": "active"}
LINK = "https://s3.amazonaws.com/bucket/recordings/..."


@extend_schema_field({"type": "string", "pattern": f"^{LABEL.pattern}$"})
class LabelField(TextField):
    """A name that the file is offered under, never a path."""

    def to_internal_value(self, data: Any) -> str:
        label = super().to_internal_value(data)
        if not LABEL.fullmatch(label):
            raise serializers.ValidationError(
                "A name, not a path: letters, digits, dot, underscore and hyphen, 1 to 64 of them, no dot in front."
            )
        return label


@extend_schema_field({"type": "string", "format": "uri", "pattern": "^https://"})
class HTTPSField(TextField):
    def __init__(self, **options: Any) -> None:
        super().__init__(validators=[URLValidator(schemes=["https"])], **options)


@extend_schema_serializer(examples=examples(mp4={"roomName": ROOM, "fileType": "mp4"}))
class StartRecordingRequest(StrictSerializer):
    titles = TITLES

    roomName = RoomNameField()
    outputPath = LabelField(required=False, default="", trim_whitespace=False)
    fileType = serializers.ChoiceField(choices=FILE_TYPES, required=False, default=Recording.FileType.MP4.value)


@extend_schema_serializer(examples=examples(transcript={"roomName": ROOM, "transcript": "Hello. How can I help?"}))
class UpdateRecordingRequest(StrictSerializer):
    titles = TITLES

    roomName = RoomNameField()
    transcript = TextField(required=False, allow_blank=True, trim_whitespace=False, max_length=LONGEST_TRANSCRIPT)
    recordingUrl = HTTPSField(required=False, max_length=LONGEST_URL)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.keys() & {"transcript", "recordingUrl"}:
            raise NOTHING_TO_UPDATE.error()
        return attrs


class RecordingsQuery(StrictSerializer):
    titles = TITLES

    roomName = RoomNameField(required=False)
    egressId = serializers.CharField(required=False, max_length=64)
    listAll = serializers.BooleanField(required=False, default=False)


class StartedRecording(serializers.Serializer[Recording]):
    egressId = serializers.CharField(
        source="external_id",
        allow_null=True,
        help_text="The source's id; null until the source has accepted it.",
    )
    roomName = serializers.SerializerMethodField(help_text="The `callId` of a call without a room.")
    startedAt = serializers.SerializerMethodField()
    status = serializers.SerializerMethodField(help_text="`active` as soon as the source has accepted it.")

    def get_roomName(self, recording: Recording) -> str:
        return recording.call.room_name or str(recording.call_id)

    @extend_schema_field(TimestampField)
    def get_startedAt(self, recording: Recording) -> str | None:
        return iso_z(recording.started_at or recording.created_at)

    @extend_schema_field(serializers.ChoiceField(list(STATUSES.values())))
    def get_status(self, recording: Recording) -> str:
        return "active" if recording.is_running else STATUSES[Recording.State(recording.state)]


class RecordingBody(StartedRecording):
    isActive = serializers.BooleanField(source="is_running", help_text="It runs, and no stop was requested.")


@extend_schema_serializer(
    examples=examples(started={"success": True, "message": "Recording started successfully", "recording": RECORDING})
)
class StartRecordingResponse(serializers.Serializer[Recording]):
    success = ConstantField(True)
    message = ConstantField("Recording started successfully")
    recording = StartedRecording(source="*")


class LinkField(serializers.CharField):
    """The link to the file, which the view signs: `context={"link": …}`."""

    def __init__(self) -> None:
        super().__init__(source="*", allow_null=True, help_text=LINK_HELP)

    def to_representation(self, value: object) -> Any:
        return self.context["link"]


@extend_schema_serializer(
    examples=examples(of_a_room={"success": True, "recording": {**RECORDING, "isActive": True}, "recordingUrl": LINK})
)
class RecordingResponse(serializers.Serializer[Recording]):
    success = ConstantField(True)
    recording = RecordingBody(source="*")
    recordingUrl = LinkField()


@extend_schema_serializer(examples=examples(a_link={"success": True, "recordingUrl": LINK}))
class RecordingLinkResponse(serializers.Serializer[Recording]):
    success = ConstantField(True)
    recordingUrl = LinkField()


@extend_schema_serializer(
    examples=examples(all_active={"success": True, "count": 1, "recordings": [{**RECORDING, "isActive": True}]})
)
class RecordingsResponse(serializers.Serializer[list[Recording]]):
    success = ConstantField(True)
    count = serializers.SerializerMethodField()
    recordings = RecordingBody(many=True, source="*")

    def get_count(self, recordings: list[Recording]) -> int:
        return len(recordings)


@extend_schema_serializer(
    examples=examples(updated={"success": True, "message": "Recording metadata updated successfully"})
)
class UpdateRecordingResponse(serializers.Serializer[Recording]):
    success = ConstantField(True)
    message = ConstantField("Recording metadata updated successfully")


@extend_schema_serializer(
    examples=examples(stopped={"success": True, "message": "Recording stopped successfully", "recordingUrl": LINK})
)
class StopRecordingResponse(serializers.Serializer[Recording]):
    success = ConstantField(True)
    message = ConstantField("Recording stopped successfully")
    recordingUrl = LinkField()
