"""What the requests and responses about a room share."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field
from rest_framework import serializers

from sessions.calls.models import Call
from sessions.rooms.models import RoomAgent
from voiceapp.core.api.strict_json import StrictSerializer

ROOM_NAME = r"^[A-Za-z0-9._-]{1,100}$"
LONGEST_NAME = 120
LONGEST_METADATA_BYTES = 8 * 1024
AGENT_STATUS_HELP = "Null: no agent was ever spawned."
VOICES = ("alloy", "echo", "fable", "onyx", "nova", "shimmer")
VOICE_HELP = "By default the published agent's; alloy if none is published."
# No list is longer; those without pages show the newest.
MOST_LISTED = 100

ROOM_TITLES = {"roomName": "Missing roomName", "status": "Invalid status", "agentStatus": "Invalid status"}

# The values of the examples.
ROOM = "support-user123-1640995200"
CALL_ID = "3f0e8c1a-5b7d-4a2e-9c6f-1d2e3f4a5b6c"
HOST = "wss://your-livekit-server.livekit.cloud"
TOKEN = "eyJhbGc..."  # noqa: S105 - the specs' example


def examples(**values: object) -> list[OpenApiExample]:
    """Named examples: `examples(two_people={…})`."""
    return [OpenApiExample(name.replace("_", " "), value) for name, value in values.items()]


class RoomNameField(serializers.RegexField):
    """A room's name, ours or a given one."""

    def __init__(self, **options: Any) -> None:
        super().__init__(ROOM_NAME, **options)
        self.error_messages["invalid"] = "Letters, digits, dot, underscore and hyphen, 1 to 100 of them."

    def to_internal_value(self, data: Any) -> str:
        # Django REST framework would trim spaces, which a name may not have.
        if not isinstance(data, str) or data != data.strip():
            self.fail("invalid")
        return super().to_internal_value(data)


class RoomQuery(StrictSerializer):
    titles = ROOM_TITLES

    roomName = RoomNameField()


@extend_schema_field({"type": "object", "additionalProperties": {}})
class MetadataField(serializers.Field[dict[str, Any], Any, Any, Any]):
    """An object of up to 8 KB as JSON."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise serializers.ValidationError("An object is wanted.")
        if len(json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()) > LONGEST_METADATA_BYTES:
            raise serializers.ValidationError(f"It may have {LONGEST_METADATA_BYTES} bytes as JSON.")
        return data

    def to_representation(self, value: Any) -> Any:
        return value


@dataclass(frozen=True, slots=True)
class CallDetails:
    """A call as it is read on its own. `recording_url` is for those who may read recordings."""

    call: Call
    agent: RoomAgent | None
    recording_url: str | None = None
    transcript: str | None = None

    @property
    def has_active_agent(self) -> bool:
        return self.agent is not None and self.agent.status == RoomAgent.Status.ACTIVE
