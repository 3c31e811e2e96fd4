"""`/api/voice/recording` in the API's documentation."""

from __future__ import annotations

from rest_framework import serializers

from recordings.api import STATUSES, AmendRequest, RecordingQuery, RecordingView, StartRequest
from recordings.models import Recording
from recordings.storage import LABEL
from sessions.rooms.api.room_view import MOST_LISTED, RoomQuery
from sessions.schema.answers import Done
from sessions.schema.rooms import ROOM, ROOM_MISSING, SOMEBODY_ELSES, livekit_refusals
from voiceapp.core.api.schema import Area, Operation, Sample, describe, refused

RECORDINGS = Area("Recordings", "Recordings of calls in rooms: start, find, stop and amend them.", place=70)
CALL_NOT_FOUND = refused(404, "Call session not found", "There is no call in a room of this name.")
ACCESS_DENIED = refused(403, "Access denied", SOMEBODY_ELSES)
NOT_RECORDED = refused(404, "Recording not found", "This call was never recorded.")
NOT_CONFIGURED = refused(
    503, "Recording service not configured", "LIVEKIT_* or LIVEKIT_RECORDING_BUCKET is not set on this server."
)
NOT_SIGNED = refused(503, "Recording service unavailable", "No link to the file can be signed.")
URL = "https://s3.amazonaws.com/bucket/recordings/..."
RECORDING = {
    "egressId": "EG_abc123",
    "roomName": ROOM,
    "startedAt": "2024-01-01T00:00:30Z",
    "status": "active",
}
LINK_WORDS = "Where the file is or, while it is recorded, will be; null where none is to come. Ours ends after minutes."


class RecordingStartedSession(serializers.Serializer[object]):
    egressId = serializers.CharField(allow_null=True, help_text="LiveKit's id; null until LiveKit has accepted it.")
    roomName = serializers.CharField()
    startedAt = serializers.DateTimeField()
    status = serializers.ChoiceField(list(STATUSES.values()))


class RecordingShown(RecordingStartedSession):
    isActive = serializers.BooleanField(help_text="It runs, and nobody has stopped it.")


class RecordingStarted(serializers.Serializer[object]):
    success = serializers.BooleanField()
    message = serializers.CharField()
    recording = RecordingStartedSession()


class RecordingFound(serializers.Serializer[object]):
    success = serializers.BooleanField()
    recording = RecordingShown()
    recordingUrl = serializers.CharField(allow_null=True, help_text=LINK_WORDS)


class RecordingLink(serializers.Serializer[object]):
    success = serializers.BooleanField()
    recordingUrl = serializers.CharField(allow_null=True, help_text=LINK_WORDS)


class RecordingsListed(serializers.Serializer[object]):
    success = serializers.BooleanField()
    count = serializers.IntegerField()
    recordings = RecordingShown(many=True)


class RecordingStopped(serializers.Serializer[object]):
    success = serializers.BooleanField()
    message = serializers.CharField()
    recordingUrl = serializers.CharField(allow_null=True, help_text=LINK_WORDS)


describe(
    RecordingView,
    post=Operation(
        "startRecording",
        RECORDINGS,
        "Start recording a call",
        "`outputPath` is a name that the file is offered under, never a path.",
        body=StartRequest,
        refined={
            "fileType": {"enum": Recording.FileType.values},
            "outputPath": {"pattern": f"^{LABEL.pattern}$"},
        },
        asked={"example": {"roomName": ROOM, "fileType": "mp4"}},
        answers=(RecordingStarted,),
        answered={"started": {"success": True, "message": "Recording started successfully", "recording": RECORDING}},
        refusals=(
            ROOM_MISSING,
            refused(400, "Invalid file type", "fileType is mp4 or ogg."),
            refused(400, "Call not active", "The call is not connected."),
            ACCESS_DENIED,
            CALL_NOT_FOUND,
            refused(409, "Recording already in progress", "This call is being recorded. Stop that recording first."),
            NOT_CONFIGURED,
            *livekit_refusals("Failed to start recording"),
        ),
        samples=(Sample("Start", body={"roomName": "$ROOM", "fileType": "mp4"}),),
    ),
    get=Operation(
        "readRecordings",
        RECORDINGS,
        "Get a recording, its link, or all that run",
        "With `roomName` the call's newest recording; with `egressId` as well, a link to that one's file; with "
        f"`listAll=true` alone, for owners and managers, the newest {MOST_LISTED} that run in your organization.",
        query=RecordingQuery,
        answers=(RecordingFound, RecordingLink, RecordingsListed),
        answered={
            "of a room": {"success": True, "recording": {**RECORDING, "isActive": True}, "recordingUrl": URL},
            "a link": {"success": True, "recordingUrl": URL},
            "all that run": {"success": True, "count": 1, "recordings": [{**RECORDING, "isActive": True}]},
        },
        refusals=(
            refused(400, "Missing roomName", "Name the call's room in roomName, or ask for listAll."),
            refused(400, "Bad Request", "listAll stands alone."),
            ACCESS_DENIED,
            refused(403, "Access denied", "Only owners and managers of an organization list its recordings."),
            CALL_NOT_FOUND,
            NOT_RECORDED,
            NOT_SIGNED,
        ),
        samples=(
            Sample("Of a room", query={"roomName": "$ROOM"}),
            Sample("All that run", query={"listAll": "true"}),
        ),
    ),
    patch=Operation(
        "updateRecording",
        RECORDINGS,
        "Amend the call's newest recording",
        "Give `transcript`, `recordingUrl` or both. A `recordingUrl` of yours stands in the place of our own link.",
        body=AmendRequest,
        refined={"recordingUrl": {"format": "uri", "pattern": "^https://"}},
        asked={"example": {"roomName": ROOM, "transcript": "Hello. How can I help?"}},
        answers=(Done,),
        answered={"amended": {"success": True, "message": "Recording metadata updated successfully"}},
        refusals=(
            ROOM_MISSING,
            refused(400, "Nothing to update", "Give transcript, recordingUrl or both."),
            ACCESS_DENIED,
            CALL_NOT_FOUND,
            NOT_RECORDED,
        ),
        samples=(Sample("Add the words", body={"roomName": "$ROOM", "transcript": "Hello. How can I help?"}),),
    ),
    delete=Operation(
        "stopRecording",
        RECORDINGS,
        "Stop recording a call",
        query=RoomQuery,
        answers=(RecordingStopped,),
        answered={"stopped": {"success": True, "message": "Recording stopped successfully", "recordingUrl": URL}},
        refusals=(
            ROOM_MISSING,
            ACCESS_DENIED,
            CALL_NOT_FOUND,
            refused(404, "No active recording", "This call is not being recorded."),
            NOT_CONFIGURED,
            *livekit_refusals("Failed to stop recording"),
        ),
        samples=(Sample("Stop", query={"roomName": "$ROOM"}),),
    ),
)
