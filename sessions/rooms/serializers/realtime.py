"""Requests and responses of `/api/voice/realtime`."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from sessions.calls.briefing import TurnDetection
from sessions.calls.models import Call, CallState
from sessions.rooms.models import RoomAgent
from sessions.rooms.serializers.rooms import (
    AGENT_STATUS_HELP,
    HOST,
    ROOM,
    ROOM_TITLES,
    CallDetails,
    RoomNameField,
    examples,
)
from sessions.rooms.services.configuration import RealtimeConfiguration
from voiceapp.core.api.fields import ConstantField, TextField, TimestampField
from voiceapp.core.api.strict_json import StrictSerializer


@extend_schema_serializer(
    examples=examples(of_the_beta={"roomName": ROOM, "model": "gpt-4o-realtime-preview-2024-12-17"})
)
class StartRealtimeRequest(StrictSerializer):
    titles = ROOM_TITLES

    roomName = RoomNameField()
    model = TextField(required=False, max_length=100, help_text="Default: REALTIME_MODEL.")


class TranscriptionBody(serializers.Serializer[RealtimeConfiguration]):
    model = serializers.SerializerMethodField()

    def get_model(self, configuration: RealtimeConfiguration) -> str:
        return str(settings.REALTIME_TRANSCRIPTION_MODEL)


class TurnDetectionBody(serializers.Serializer[TurnDetection]):
    """The fields of the other kind are left out."""

    OF_SEMANTIC_VAD = ("type", "eagerness")

    type = serializers.ChoiceField(["server_vad", "semantic_vad"], source="kind")
    threshold = serializers.FloatField(required=False, help_text="Of `server_vad`.")
    prefix_padding_ms = serializers.IntegerField(required=False, help_text="Of `server_vad`.")
    silence_duration_ms = serializers.IntegerField(source="silence_ms", required=False, help_text="Of `server_vad`.")
    eagerness = serializers.CharField(required=False, help_text="Of `semantic_vad`.")

    def to_representation(self, instance: TurnDetection) -> dict[str, Any]:
        is_semantic = instance.kind == "semantic_vad"
        body = super().to_representation(instance)
        return {
            name: value
            for name, value in body.items()
            if (name in self.OF_SEMANTIC_VAD if is_semantic else name != "eagerness")
        }


class RealtimeConfigurationBody(serializers.Serializer[RealtimeConfiguration]):
    """The shape of OpenAI's beta, which the spec shows; OpenAI itself gets the GA shape."""

    modalities = serializers.SerializerMethodField()
    instructions = serializers.CharField(allow_blank=True)
    voice = serializers.CharField()
    input_audio_format = ConstantField("pcm16")
    output_audio_format = ConstantField("pcm16")
    input_audio_transcription = TranscriptionBody(source="*")
    turn_detection = TurnDetectionBody()

    def get_modalities(self, configuration: RealtimeConfiguration) -> list[str]:
        return ["text", "audio"]


class LiveKitRoom(serializers.Serializer[RealtimeConfiguration]):
    serverUrl = serializers.CharField(source="server_url", help_text="The address of LiveKit.")
    roomName = serializers.CharField(source="agent.call.room_name")


@extend_schema_serializer(
    examples=examples(
        started={
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
    )
)
class StartRealtimeResponse(serializers.Serializer[RealtimeConfiguration]):
    success = ConstantField(True)
    roomName = serializers.CharField(source="agent.call.room_name")
    model = serializers.CharField(help_text="As requested.")
    modelUsed = serializers.CharField(source="model_used", help_text="What OpenAI gets: retired names are replaced.")
    voiceUsed = serializers.CharField(source="voice_used", help_text="The same for the voice.")
    agentIdentity = serializers.CharField(source="agent.identity")
    configuration = RealtimeConfigurationBody(source="*")
    livekit = LiveKitRoom(source="*")


@extend_schema_serializer(
    examples=examples(
        connected={
            "success": True,
            "roomName": ROOM,
            "callStatus": "connected",
            "agentStatus": "active",
            "agentAvailable": True,
            "duration": 120,
            "connectedAt": "2024-01-01T00:00:30Z",
            "metadata": {},
        }
    )
)
class RealtimeResponse(serializers.Serializer[CallDetails]):
    success = ConstantField(True)
    roomName = serializers.CharField(source="call.room_name")
    callStatus = serializers.ChoiceField(CallState.choices, source="call.state")
    agentStatus = serializers.ChoiceField(
        RoomAgent.Status.choices, source="agent.status", allow_null=True, help_text=AGENT_STATUS_HELP
    )
    agentAvailable = serializers.BooleanField(source="has_active_agent")
    duration = serializers.IntegerField(
        source="call.duration_so_far_s", help_text="Whole seconds since `connectedAt`; 0 if never connected."
    )
    connectedAt = TimestampField(source="call.connected_at", allow_null=True)
    metadata = serializers.DictField(source="call.metadata")


@extend_schema_serializer(
    examples=examples(ended={"success": True, "message": "Realtime session ended", "duration": 600})
)
class EndRealtimeResponse(serializers.Serializer[Call]):
    success = ConstantField(True)
    message = ConstantField("Realtime session ended")
    duration = serializers.IntegerField(source="duration_so_far_s", help_text="Of the call so far, in seconds.")
