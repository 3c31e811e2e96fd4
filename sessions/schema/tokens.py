"""`POST /api/voice/token` in the API's documentation."""

from __future__ import annotations

from rest_framework import serializers

from sessions.rooms.api.call_fields import TokenRequest, TokenSourceRequest
from sessions.rooms.api.calls import NOT_CREATED
from sessions.rooms.api.tokens import TokenView
from voiceapp.core.api.schema import Area, Operation, Sample, describe, refused
from voiceapp.core.api.schema.refusals import wrong_fields

from .rooms import CALL_ID, HOST, ROOM, TOKEN, livekit_refusals

TOKENS = Area("Tokens", "What opens a room to somebody, for ten minutes.", place=40)


class TokenMade(serializers.Serializer[object]):
    token = serializers.CharField(help_text="Opens this room to you.")
    roomName = serializers.CharField()
    participantName = serializers.CharField()
    livekitHost = serializers.CharField(help_text="Where LiveKit is.")
    agentSpawned = serializers.BooleanField(help_text="An agent is in the room or on its way.")
    callId = serializers.UUIDField()


class TokenSourceAnswer(serializers.Serializer[object]):
    server_url = serializers.CharField(help_text="Where LiveKit is.")
    participant_token = serializers.CharField(help_text="Opens the room to you.")


class TokenInBothShapes(TokenMade, TokenSourceAnswer):
    """To a body without fields."""

    serverUrl = serializers.CharField(help_text="`server_url`, as LiveKit's clients name it.")
    participantToken = serializers.CharField(help_text="`participant_token`, as LiveKit's clients name it.")


describe(
    TokenView,
    post=Operation(
        "createToken",
        TOKENS,
        "Join a call",
        "For a live call's room if you may join it: it is yours, it is for you, or it is a conference of your "
        "organization. Of a call between two that names nobody, the second person who asks for its room is the callee. "
        "Without a live call in that room, or without a name, a new call begins. LiveKit's clients "
        "may ask in their own words; what they say of identity, metadata, attributes and configuration is ignored. A "
        "body without fields is answered in both shapes at once.",
        body=TokenRequest,
        or_body=TokenSourceRequest,
        asked={
            "example": {"roomName": ROOM, "participantName": "John Doe", "roomType": "support", "spawnAiAgent": True},
            "as LiveKit's clients ask": {"room_name": ROOM, "participant_name": "John Doe"},
        },
        answers=(TokenMade, TokenSourceAnswer, TokenInBothShapes),
        answered={
            "made": {
                "token": TOKEN,
                "roomName": ROOM,
                "participantName": "John Doe",
                "livekitHost": HOST,
                "agentSpawned": True,
                "callId": CALL_ID,
            },
            "to LiveKit's clients": {"server_url": HOST, "participant_token": TOKEN},
            "to a body without fields": {
                "token": TOKEN,
                "roomName": ROOM,
                "participantName": "John Doe",
                "livekitHost": HOST,
                "agentSpawned": True,
                "callId": CALL_ID,
                "server_url": HOST,
                "participant_token": TOKEN,
                "serverUrl": HOST,
                "participantToken": TOKEN,
            },
        },
        refusals=(
            wrong_fields("Invalid room type", roomType='"radio" is not a valid choice.'),
            refused(400, "Bad Request", "Ask in this API's words or in LiveKit's, not in both."),
            refused(
                403,
                "Access denied to this session",
                "This call is for two; of an organization's calls, its members join conferences.",
            ),
            refused(404, "Session not found", "There is no call in a room of this name for you."),
            refused(404, "Session not found", "There is no call yet that a callee could join."),
            refused(
                409,
                "Active session already exists for this room",
                "Tokens for an earlier session in this room are still good. Take another name, or wait.",
            ),
            refused(409, "Session ended", "The session was ended before it was ready."),
            *livekit_refusals(NOT_CREATED),
            refused(500, "Failed to create token", "LiveKit refused. The reason is in the server's log."),
        ),
        samples=(Sample("Join the call", body={"roomName": "$ROOM", "participantName": "John Doe"}),),
    ),
)
