"""What the requests and responses about a room share."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from voiceapp.core.api.strict_json import StrictSerializer

ROOM_NAME = r"^[A-Za-z0-9._-]{1,100}$"
LONGEST_NAME = 120
VOICES = ("alloy", "echo", "fable", "onyx", "nova", "shimmer")
DEFAULT_VOICE = "alloy"
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
