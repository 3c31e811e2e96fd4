"""What is asked of calls in rooms, field by field."""

from __future__ import annotations

import json
from typing import Any

from rest_framework import serializers

from sessions.calls.models import CallState, CallType
from sessions.rooms.models import RoomAgent, RoomPass
from voiceapp.core.api.strict_fields import LineField, TextField, TruthField
from voiceapp.core.api.strict_json import StrictSerializer
from voiceapp.providers.openai.fields import MAX_PROMPT_LENGTH

from .agents import DEFAULT_VOICE, VOICES
from .room_view import MOST_LISTED, RoomNameField

LONGEST_SUBJECT = 100
LONGEST_NAME = 120
LONGEST_METADATA_BYTES = 8 * 1024
FURTHEST = 10_000_000


class NewCall(StrictSerializer):
    """A call that begins."""

    callType = serializers.ChoiceField(CallType.values, default=CallType.SUPPORT.value)
    roomName = RoomNameField(required=False, help_text="Made for you unless you name one.")
    calleeId = LineField(required=False, max_length=LONGEST_SUBJECT, help_text="Whom a user-to-user call is for.")
    enableRecording = TruthField(required=False, default=True)
    enableAiAgent = TruthField(required=False, help_text="True for support calls, false for others.")
    systemPrompt = TextField(required=False, default="", allow_blank=True, max_length=MAX_PROMPT_LENGTH)
    voice = serializers.ChoiceField(VOICES, default=DEFAULT_VOICE)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["callType"] == CallType.USER_TO_USER and "calleeId" not in attrs:
            raise serializers.ValidationError({"calleeId": ["Whom a user-to-user call is for has to be named."]})
        attrs.setdefault("enableAiAgent", attrs["callType"] == CallType.SUPPORT)
        return attrs


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


class CallChange(StrictSerializer):
    roomName = RoomNameField()
    status = serializers.ChoiceField(CallState.values, required=False)
    agentStatus = serializers.ChoiceField(RoomAgent.Status.values, required=False)
    metadata = MetadataField(required=False, help_text="In the place of what was there.")


class TokenRequest(StrictSerializer):
    """In this API's own words."""

    roomName = RoomNameField(required=False, help_text="Of a call that you may join, or of a new one.")
    participantName = LineField(required=False, default="", allow_blank=True, max_length=LONGEST_NAME)
    roomType = serializers.ChoiceField(CallType.values, default=CallType.SUPPORT.value, help_text="Of a new call.")
    spawnAiAgent = TruthField(required=False, default=True, help_text="Into a new call.")
    role = serializers.ChoiceField(
        (RoomPass.Role.CALLER.value, RoomPass.Role.CALLEE.value),
        required=False,
        help_text="Whose token it is, for API keys. Without it each token of a key is another person's.",
    )


class TokenSourceRequest(StrictSerializer):
    """LiveKit's standard request. The last four would let clients name their own privileges: they are ignored."""

    room_name = RoomNameField(required=False, allow_null=True)
    participant_name = LineField(required=False, allow_blank=True, allow_null=True, max_length=LONGEST_NAME)
    participant_identity = TextField(required=False, allow_blank=True, allow_null=True)
    participant_metadata = TextField(required=False, allow_blank=True, allow_null=True)
    participant_attributes = serializers.DictField(child=TextField(allow_blank=True), required=False, allow_null=True)
    room_config = serializers.DictField(required=False, allow_null=True)


class CallsQuery(StrictSerializer):
    """One call by its room, or a page of one's calls."""

    roomName = RoomNameField(required=False)
    status = serializers.ChoiceField(CallState.values, required=False)
    limit = serializers.IntegerField(default=10, min_value=1, help_text="At most 100.")
    offset = serializers.IntegerField(default=0, min_value=0, max_value=FURTHEST)

    def validate_limit(self, limit: int) -> int:
        return min(limit, MOST_LISTED)
