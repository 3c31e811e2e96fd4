"""`/api/voice/session` in the API's documentation."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from rest_framework import serializers

from sessions.calls.models import CallState, CallType
from sessions.rooms.api.call_fields import CallChange, CallsQuery, NewCall
from sessions.rooms.api.calls import NOT_CREATED, CallView
from sessions.rooms.api.room_view import MOST_LISTED, RoomQuery
from sessions.rooms.models import RoomAgent
from voiceapp.core.api.schema import Area, Operation, Sample, describe, refused
from voiceapp.core.api.schema.refusals import wrong_fields
from voiceapp.core.api.schema.samples import shell_line

from .answers import Done
from .rooms import (
    ACCESS_DENIED,
    CALL_ID,
    HOST,
    ROOM,
    ROOM_MISSING,
    SESSION_NOT_FOUND,
    SOMEBODY_ELSES,
    TOKEN,
    livekit_refusals,
)

CALLS = Area("Calls", "Calls in rooms: with an agent, between two people, or among several.", place=30)
MAY_NOT_CHANGE = refused(403, "Access denied", SOMEBODY_ELSES)
AGENT_STATUS_WORDS = "Null: no agent was ever asked for."
ANOTHER_CALL = shell_line(
    Sample("", body={"callType": "conference"}, keeps=("OTHER", "roomName")),
    method="POST",
    path="/api/voice/session",
    credential="key",
)
SHOWN = {
    "callId": CALL_ID,
    "roomName": ROOM,
    "callType": "support",
    "status": "connected",
    "startedAt": "2024-01-01T00:00:00Z",
    "connectedAt": "2024-01-01T00:00:30Z",
    "endedAt": None,
    "duration": 45,
}
LISTED = SHOWN | {
    "status": "completed",
    "endedAt": "2024-01-01T00:10:30Z",
    "duration": 600,
    "hasRecording": True,
    "hasTranscript": True,
    "createdAt": "2024-01-01T00:00:00Z",
}


class Metadata(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]  # untyped in part
    """Registered by being imported."""

    target_class = "sessions.rooms.api.call_fields.MetadataField"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, object]:
        return {"type": "object", "additionalProperties": {}}


class CallOpened(serializers.Serializer[object]):
    callId = serializers.UUIDField()
    roomName = serializers.CharField()
    participantName = serializers.CharField(help_text="How you are called in the room.")
    token = serializers.CharField(help_text="Opens this room to you, for ten minutes.")
    livekitHost = serializers.CharField(help_text="Where LiveKit is.")
    callType = serializers.ChoiceField(CallType.choices)
    status = serializers.ChoiceField(CallState.choices)
    agentSpawned = serializers.BooleanField(help_text="LiveKit took the request for an agent.")
    agentStatus = serializers.ChoiceField(RoomAgent.Status.choices, allow_null=True, help_text=AGENT_STATUS_WORDS)
    recordingEnabled = serializers.BooleanField(help_text="It will be recorded.")
    createdAt = serializers.DateTimeField()


class SessionCreated(serializers.Serializer[object]):
    success = serializers.BooleanField()
    message = serializers.CharField()
    session = CallOpened()


class CallTold(serializers.Serializer[object]):
    callId = serializers.UUIDField()
    roomName = serializers.CharField()
    callType = serializers.ChoiceField(CallType.choices)
    status = serializers.ChoiceField(CallState.choices)
    startedAt = serializers.DateTimeField()
    connectedAt = serializers.DateTimeField(allow_null=True)
    endedAt = serializers.DateTimeField(allow_null=True)
    duration = serializers.IntegerField(help_text="Whole seconds since `connectedAt`; 0 if never connected.")


class CallShown(CallTold):
    recordingUrl = serializers.CharField(allow_null=True, help_text="For who may read recordings.")
    transcript = serializers.CharField(allow_null=True)
    metadata = serializers.DictField()
    agentStatus = serializers.ChoiceField(RoomAgent.Status.choices, allow_null=True, help_text=AGENT_STATUS_WORDS)
    agentAvailable = serializers.BooleanField(help_text="An agent is in the room.")


class CallListed(CallTold):
    hasRecording = serializers.BooleanField()
    hasTranscript = serializers.BooleanField()
    createdAt = serializers.DateTimeField()


class SessionShown(serializers.Serializer[object]):
    success = serializers.BooleanField()
    session = CallShown()


class SessionsListed(serializers.Serializer[object]):
    success = serializers.BooleanField()
    count = serializers.IntegerField(help_text="On this page.")
    total = serializers.IntegerField(help_text="On all pages.")
    limit = serializers.IntegerField()
    offset = serializers.IntegerField()
    sessions = CallListed(many=True)


class SessionEnded(serializers.Serializer[object]):
    success = serializers.BooleanField()
    message = serializers.CharField()
    duration = serializers.IntegerField(help_text="In seconds; 0 if never connected.")


describe(
    CallView,
    post=Operation(
        "startSession",
        CALLS,
        "Start a call",
        "A support call gets an agent: it is `pending` until it is seen in the room. Join with the token "
        "within ten minutes. The call is `connected` once both sides are in the room.",
        body=NewCall,
        asked={
            "support": {"callType": "support", "enableRecording": True, "enableAiAgent": True, "voice": "alloy"},
            "two people": {"callType": "user-to-user", "calleeId": "user456"},
        },
        answers=(SessionCreated,),
        answered={
            "created": {
                "success": True,
                "message": "Voice session created successfully",
                "session": {
                    "callId": SHOWN["callId"],
                    "roomName": ROOM,
                    "participantName": "John Doe",
                    "token": TOKEN,
                    "livekitHost": HOST,
                    "callType": "support",
                    "status": "ringing",
                    "agentSpawned": True,
                    "agentStatus": "pending",
                    "recordingEnabled": True,
                    "createdAt": "2024-01-01T00:00:00Z",
                },
            }
        },
        refusals=(
            wrong_fields("Invalid call type", callType='"radio" is not a valid choice.'),
            wrong_fields(calleeId="Whom a user-to-user call is for has to be named."),
            refused(
                409,
                "Active session already exists for this room",
                "A live session has a room of this name. Take another name, or none.",
            ),
            refused(409, "Session ended", "The session was ended before it was ready."),
            *livekit_refusals(NOT_CREATED),
        ),
        samples=(
            Sample(
                "Start a call with an agent, and keep its room's name",
                body={"callType": "support", "voice": "alloy", "enableRecording": False},
                keeps=("ROOM", "roomName"),
            ),
        ),
    ),
    get=Operation(
        "readSessions",
        CALLS,
        "See a call, or list your calls",
        "With `roomName`, that call; without, a page of calls, the newest first: to a person those that they "
        f"began and those that are for them, to a key all of its organization. `limit` is cut at {MOST_LISTED}.",
        query=CallsQuery,
        answers=(SessionShown, SessionsListed),
        answered={
            "one": {
                "success": True,
                "session": SHOWN
                | {
                    "recordingUrl": None,
                    "transcript": None,
                    "metadata": {},
                    "agentStatus": "active",
                    "agentAvailable": True,
                },
            },
            "a page": {"success": True, "count": 1, "total": 150, "limit": 20, "offset": 0, "sessions": [LISTED]},
        },
        refusals=(
            wrong_fields(limit="Ensure this value is greater than or equal to 1."),
            ACCESS_DENIED,
            SESSION_NOT_FOUND,
        ),
        samples=(
            Sample("See one", query={"roomName": "$ROOM"}),
            Sample("A page of them", query={"status": "ringing", "limit": "20", "offset": "0"}),
        ),
    ),
    patch=Operation(
        "updateSession",
        CALLS,
        "Say how a call stands, or what goes with it",
        "A call goes from `pending` to `ringing` to `connected` to `completed`; `missed` before it is "
        "connected, or `failed`. Ended calls stay as they are. `metadata` is an object of up to 8 KB, kept in "
        "the place of what was there.",
        body=CallChange,
        asked={
            "example": {"roomName": ROOM, "status": "completed"},
            "metadata": {"roomName": ROOM, "metadata": {"ticket": 7}},
        },
        answers=(Done,),
        answered={"updated": {"success": True, "message": "Session updated successfully"}},
        refusals=(
            ROOM_MISSING,
            refused(400, "Invalid status", "A call that is connected does not become ringing."),
            refused(400, "Nothing to update", "Give status, agentStatus or metadata."),
            MAY_NOT_CHANGE,
            SESSION_NOT_FOUND,
            refused(404, "Agent not found", "No agent was ever asked for in this room."),
        ),
        samples=(
            Sample(
                "Somebody is there; keep something with it",
                body={"roomName": "$ROOM", "status": "connected", "metadata": {"ticket": "4711"}},
            ),
        ),
    ),
    delete=Operation(
        "endSession",
        CALLS,
        "End a call",
        "Its room is closed. A call that never was connected is `missed` then. Never limited.",
        query=RoomQuery,
        answers=(SessionEnded,),
        answered={"ended": {"success": True, "message": "Session ended successfully", "duration": 600}},
        refusals=(ROOM_MISSING, MAY_NOT_CHANGE, SESSION_NOT_FOUND),
        samples=(Sample("End another one", query={"roomName": "$OTHER"}, before=ANOTHER_CALL),),
    ),
)
