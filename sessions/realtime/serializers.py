"""Requests and responses of `/voice-session` and `/realtime_session`."""

from __future__ import annotations

from django.core.validators import RegexValidator
from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from sessions.realtime.services.client_secrets import RealtimeSession
from sessions.realtime.services.voice_sessions import OpenedVoiceSession
from voiceapp.core.api.fields import TextField, TimestampField, TruthField
from voiceapp.core.api.strict_json import StrictSerializer
from voiceapp.core.web_addresses import MAX_URL_LENGTH

LONGEST_INSTRUCTIONS = 32_000
# Models, voices and addresses; the spaces around them are not trimmed away either.
PLAIN = RegexValidator(r"\A[!-~]+\Z", "Printable ASCII without spaces.")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "with instructions",
            {"instructions": "Optional custom instructions to append to the template", "text_only": False},
        ),
        OpenApiExample("by default", {}),
    ]
)
class VoiceSessionRequest(StrictSerializer):
    instructions = TextField(
        required=False, default="", allow_blank=True, max_length=LONGEST_INSTRUCTIONS, help_text="After the template."
    )
    text_only = TruthField(required=False, default=False, help_text="The model responds in text alone.")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "opened",
            {
                "client_secret": "session-client-secret-value",
                "expires_at": "2026-01-29T12:00:00Z",
                "session_id": "session-1234567890",
            },
        )
    ]
)
class VoiceSessionResponse(serializers.Serializer[OpenedVoiceSession]):
    client_secret = serializers.CharField(source="secret.value", help_text="For the browser; it opens one session.")
    expires_at = TimestampField(source="secret.expires_at", help_text="When the secret expires.")
    session_id = serializers.CharField(source="record.session_id", help_text="OpenAI's id of the session.")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "at OpenAI",
            {
                "model": "gpt-4o-realtime-preview",
                "voice": "verse",
                "endpoint": "https://api.openai.com/v1/realtime/sessions",
            },
        )
    ]
)
class RealtimeSessionRequest(StrictSerializer):
    """Whether an endpoint is allowed is decided by the service."""

    model = TextField(max_length=100, trim_whitespace=False, validators=[PLAIN])
    voice = TextField(max_length=100, trim_whitespace=False, validators=[PLAIN])
    endpoint = TextField(max_length=MAX_URL_LENGTH, trim_whitespace=False, validators=[PLAIN], required=False)


class RealtimeClientSecret(serializers.Serializer[RealtimeSession]):
    value = serializers.CharField(source="secret", help_text="The bearer token of the WebRTC negotiation.")
    expires_at = TimestampField()


class RealtimeSessionBody(serializers.Serializer[RealtimeSession]):
    """The session may be started until its secret expires: it has no other end that is known."""

    id = serializers.CharField()
    model = serializers.CharField(help_text="As requested.")
    model_used = serializers.CharField(help_text="What the provider got: retired names are replaced.")
    voice_used = serializers.CharField(help_text="The same for the voice.")
    expires_at = TimestampField()
    client_secret = RealtimeClientSecret(source="*")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "opened",
            {
                "session": {
                    "id": "sess_abc123",
                    "model": "gpt-4o-realtime-preview",
                    "model_used": "gpt-realtime",
                    "voice_used": "verse",
                    "expires_at": "2025-10-09T18:00:00Z",
                    "client_secret": {"value": "rtm_secret_token", "expires_at": "2025-10-09T18:00:00Z"},
                }
            },
        )
    ]
)
class RealtimeSessionResponse(serializers.Serializer[RealtimeSession]):
    session = RealtimeSessionBody(source="*")
