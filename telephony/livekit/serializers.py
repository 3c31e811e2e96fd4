"""The request and the response of `POST /api/voice/webhook`."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from sessions.rooms.serializers.rooms import ROOM, examples
from voiceapp.core.api.fields import ConstantField
from voiceapp.providers.livekit.webhooks import LiveKitEvent

EVENTS = (
    "room_started",
    "room_finished",
    "participant_joined",
    "participant_left",
    "track_published",
    "track_unpublished",
    "egress_started",
    "egress_ended",
)
EVENT = {
    "event": "participant_joined",
    "room": {"name": ROOM, "creationTime": 1640995200},
    "participant": {"identity": "user123", "name": "John Doe"},
}


@extend_schema_field({"type": ["string", "integer"], "description": "In epoch seconds."})
class EpochField(serializers.Field[Any, Any, Any, Any]):
    """A 64-bit number, which protobuf's JSON writes as a string."""


class LiveKitEventRequest(serializers.Serializer[Any]):
    """Read by LiveKit's client, which verifies the signature over the raw body first."""

    event = serializers.CharField(help_text=f"One of `{'`, `'.join(EVENTS)}`, or another.")
    id = serializers.CharField(required=False, help_text="The same when the event is sent again.")
    createdAt = EpochField(required=False)
    room = serializers.DictField(required=False)
    participant = serializers.DictField(required=False)
    track = serializers.DictField(required=False)
    egressInfo = serializers.DictField(required=False)


@extend_schema_serializer(examples=examples(received={"received": True, "event": "participant_joined"}))
class LiveKitEventResponse(serializers.Serializer[LiveKitEvent]):
    received = ConstantField(True)
    event = serializers.CharField()
