"""`/api/voice/realtime` in the API's documentation."""

from __future__ import annotations

from rest_framework import serializers

from sessions.calls.models import CallState
from sessions.rooms.api.realtime import NOT_FOUND, RealtimeRequest, RealtimeView
from sessions.rooms.api.room_view import RoomQuery
from sessions.rooms.models import RoomAgent
from voiceapp.core.api.schema import Area, Operation, Sample, describe, refused

from .rooms import ACCESS_DENIED, HOST, ROOM, ROOM_MISSING, VOICE_AWAY, VOICE_NOT_CONFIGURED, livekit_refusals

REALTIME = Area("Realtime", "How a room's agent speaks with OpenAI Realtime.", place=50)
CALL_OR_AGENT_NOT_FOUND = refused(404, NOT_FOUND, "There is no call in a room of this name.")
NO_AGENT = refused(404, NOT_FOUND, "There is no agent in this room, and none is on its way.")


class TranscriptionModel(serializers.Serializer[object]):
    model = serializers.CharField()


class TurnDetection(serializers.Serializer[object]):
    type = serializers.ChoiceField(["server_vad", "semantic_vad"])
    threshold = serializers.FloatField(required=False, help_text="Of `server_vad`.")
    prefix_padding_ms = serializers.IntegerField(required=False, help_text="Of `server_vad`.")
    silence_duration_ms = serializers.IntegerField(required=False, help_text="Of `server_vad`.")
    eagerness = serializers.CharField(required=False, help_text="Of `semantic_vad`.")


class RealtimeConfigured(serializers.Serializer[object]):
    modalities = serializers.ListField(child=serializers.ChoiceField(["text", "audio"]))
    instructions = serializers.CharField(allow_blank=True)
    voice = serializers.CharField()
    input_audio_format = serializers.CharField()
    output_audio_format = serializers.CharField()
    input_audio_transcription = TranscriptionModel()
    turn_detection = TurnDetection()


class LiveKitRoom(serializers.Serializer[object]):
    serverUrl = serializers.CharField(help_text="Where LiveKit is.")
    roomName = serializers.CharField()


class RealtimeStarted(serializers.Serializer[object]):
    success = serializers.BooleanField()
    roomName = serializers.CharField()
    model = serializers.CharField(help_text="As it was asked for.")
    modelUsed = serializers.CharField(help_text="What OpenAI is given: names that it retired are replaced.")
    voiceUsed = serializers.CharField(help_text="The same of the voice.")
    agentIdentity = serializers.CharField()
    configuration = RealtimeConfigured()
    livekit = LiveKitRoom()


class RealtimeShown(serializers.Serializer[object]):
    success = serializers.BooleanField()
    roomName = serializers.CharField()
    callStatus = serializers.ChoiceField(CallState.choices)
    agentStatus = serializers.ChoiceField(
        RoomAgent.Status.choices, allow_null=True, help_text="Null: no agent was ever asked for."
    )
    agentAvailable = serializers.BooleanField()
    duration = serializers.IntegerField(help_text="Whole seconds since `connectedAt`; 0 if never connected.")
    connectedAt = serializers.DateTimeField(allow_null=True)
    metadata = serializers.DictField()


class RealtimeEnded(serializers.Serializer[object]):
    success = serializers.BooleanField()
    message = serializers.CharField()
    duration = serializers.IntegerField(help_text="Of the call so far, in seconds.")


describe(
    RealtimeView,
    post=Operation(
        "startRealtime",
        REALTIME,
        "Initialize the agent's realtime session",
        "Answers 503 until the agent is in the room. The configuration has the shape that OpenAI's beta had; OpenAI "
        "itself is told the same in the words of today.",
        body=RealtimeRequest,
        asked={"example": {"roomName": ROOM, "model": "gpt-4o-realtime-preview-2024-12-17"}},
        answers=(RealtimeStarted,),
        answered={
            "started": {
                "success": True,
                "roomName": ROOM,
                "model": "gpt-4o-realtime-preview-2024-12-17",
                "modelUsed": "gpt-realtime",
                "voiceUsed": "alloy",
                "agentIdentity": "ai-agent-1640995200",
                "configuration": {
                    "modalities": ["text", "audio"],
                    "instructions": "You are a helpful AI assistant...",
                    "voice": "alloy",
                    "input_audio_format": "pcm16",
                    "output_audio_format": "pcm16",
                    "input_audio_transcription": {"model": "whisper-1"},
                    "turn_detection": {
                        "type": "server_vad",
                        "threshold": 0.5,
                        "prefix_padding_ms": 300,
                        "silence_duration_ms": 500,
                    },
                },
                "livekit": {"serverUrl": HOST, "roomName": ROOM},
            }
        },
        refusals=(
            ROOM_MISSING,
            ACCESS_DENIED,
            CALL_OR_AGENT_NOT_FOUND,
            refused(503, "AI agent not ready", "The agent is on its way into the room. Try again soon."),
            VOICE_NOT_CONFIGURED,
            VOICE_AWAY,
        ),
        samples=(Sample("As soon as the agent is there", body={"roomName": "$ROOM"}, waits=True),),
    ),
    get=Operation(
        "readRealtime",
        REALTIME,
        "See how the realtime session stands",
        query=RoomQuery,
        answers=(RealtimeShown,),
        answered={
            "connected": {
                "success": True,
                "roomName": ROOM,
                "callStatus": "connected",
                "agentStatus": "active",
                "agentAvailable": True,
                "duration": 120,
                "connectedAt": "2024-01-01T00:00:30Z",
                "metadata": {},
            }
        },
        refusals=(ROOM_MISSING, ACCESS_DENIED, CALL_OR_AGENT_NOT_FOUND),
        samples=(Sample("See it", query={"roomName": "$ROOM"}),),
    ),
    delete=Operation(
        "endRealtime",
        REALTIME,
        "End the realtime session",
        "The agent leaves the room. The call goes on, and may be given another agent.",
        query=RoomQuery,
        answers=(RealtimeEnded,),
        answered={"ended": {"success": True, "message": "Realtime session ended", "duration": 600}},
        refusals=(
            ROOM_MISSING,
            ACCESS_DENIED,
            CALL_OR_AGENT_NOT_FOUND,
            NO_AGENT,
            *livekit_refusals("Failed to remove agent"),
        ),
        samples=(Sample("Send the agent away", query={"roomName": "$ROOM"}),),
    ),
)
