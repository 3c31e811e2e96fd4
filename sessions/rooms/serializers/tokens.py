"""Requests and responses of `/api/voice/token`: in our API's fields, or in those of LiveKit's clients."""

from __future__ import annotations

from dataclasses import dataclass

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from sessions.calls.models import Call, CallType
from sessions.rooms.models import RoomToken
from sessions.rooms.serializers.rooms import CALL_ID, HOST, LONGEST_NAME, ROOM, TOKEN, RoomNameField, examples
from sessions.rooms.services.tokens import Ticket
from voiceapp.core.api.fields import LineField, TextField, TruthField
from voiceapp.core.api.strict_json import StrictSerializer

TITLES = {"roomType": "Invalid room type", "roomName": "Invalid roomName", "room_name": "Invalid room_name"}
OURS = {
    "token": TOKEN,
    "roomName": ROOM,
    "participantName": "John Doe",
    "livekitHost": HOST,
    "agentSpawned": True,
    "callId": CALL_ID,
}
LIVEKITS = {"server_url": HOST, "participant_token": TOKEN}


@extend_schema_serializer(
    examples=examples(
        our_fields={"roomName": ROOM, "participantName": "John Doe", "roomType": "support", "spawnAiAgent": True}
    )
)
class TokenRequest(StrictSerializer):
    titles = TITLES

    roomName = RoomNameField(required=False, help_text="Of a call that you may join, or of a new one.")
    participantName = LineField(required=False, default="", allow_blank=True, max_length=LONGEST_NAME)
    roomType = serializers.ChoiceField(CallType.values, default=CallType.SUPPORT.value, help_text="Of a new call.")
    spawnAiAgent = TruthField(required=False, default=True, help_text="Into a new call.")
    role = serializers.ChoiceField(
        (RoomToken.Role.CALLER.value, RoomToken.Role.CALLEE.value),
        required=False,
        help_text="Whose token it is, for API keys. Without it each token of a key is another person's.",
    )


@extend_schema_serializer(examples=examples(LiveKits_fields={"room_name": ROOM, "participant_name": "John Doe"}))
class TokenSourceRequest(StrictSerializer):
    """LiveKit's standard request. The last four would let clients name their own privileges: they are ignored."""

    titles = TITLES

    room_name = RoomNameField(required=False, allow_null=True)
    participant_name = LineField(required=False, allow_blank=True, allow_null=True, max_length=LONGEST_NAME)
    participant_identity = TextField(required=False, allow_blank=True, allow_null=True)
    participant_metadata = TextField(required=False, allow_blank=True, allow_null=True)
    participant_attributes = serializers.DictField(child=TextField(allow_blank=True), required=False, allow_null=True)
    room_config = serializers.DictField(required=False, allow_null=True)


@dataclass(frozen=True, slots=True)
class Joining:
    """A call, whether an agent is in it or expected, and how to join."""

    call: Call
    has_agent: bool
    ticket: Ticket


@extend_schema_serializer(examples=examples(our_fields=OURS))
class TokenResponse(serializers.Serializer[Joining]):
    token = serializers.CharField(source="ticket.token", help_text="Lets you join this room.")
    roomName = serializers.CharField(source="call.room_name")
    participantName = serializers.CharField(source="ticket.room_token.name")
    livekitHost = serializers.CharField(source="ticket.server_url", help_text="The address of LiveKit.")
    agentSpawned = serializers.BooleanField(source="has_agent", help_text="An agent is in the room or on its way.")
    callId = serializers.UUIDField(source="call.pk")


@extend_schema_serializer(examples=examples(LiveKits_fields=LIVEKITS))
class TokenSourceResponse(serializers.Serializer[Joining]):
    server_url = serializers.CharField(source="ticket.server_url", help_text="The address of LiveKit.")
    participant_token = serializers.CharField(source="ticket.token", help_text="Lets you join the room.")


@extend_schema_serializer(examples=examples(both=OURS | LIVEKITS | {"serverUrl": HOST, "participantToken": TOKEN}))
class TokenInBothShapes(TokenResponse, TokenSourceResponse):
    """To a body without fields. LiveKit's fields are written as in JSON, and as its clients name them."""

    serverUrl = serializers.CharField(
        source="ticket.server_url", help_text="`server_url`, as LiveKit's clients name it."
    )
    participantToken = serializers.CharField(
        source="ticket.token", help_text="`participant_token`, as LiveKit's clients name it."
    )
