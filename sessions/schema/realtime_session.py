"""`POST /realtime_session` in the API's documentation."""

from __future__ import annotations

from rest_framework import serializers

from sessions.realtime.api.realtime_session import RealtimeSessionSerializer, RealtimeSessionView
from voiceapp.core.api.schema import Area, Operation, Sample, describe, refused
from voiceapp.core.api.schema.refusals import wrong_fields

BROWSER_SESSIONS = Area(
    "Browser sessions",
    "A short-lived secret with which a browser opens a session of OpenAI Realtime by WebRTC.",
    place=20,
)


class RealtimeSecret(serializers.Serializer[object]):
    value = serializers.CharField(help_text="The bearer token of the WebRTC negotiation.")
    expires_at = serializers.DateTimeField()


class RealtimeSessionShown(serializers.Serializer[object]):
    id = serializers.CharField()
    model = serializers.CharField(help_text="As it was asked for.")
    model_used = serializers.CharField(help_text="What the provider was given: names that it retired are replaced.")
    voice_used = serializers.CharField(help_text="The same of the voice.")
    expires_at = serializers.DateTimeField()
    client_secret = RealtimeSecret()


class RealtimeSessionOpened(serializers.Serializer[object]):
    session = RealtimeSessionShown()


describe(
    RealtimeSessionView,
    post=Operation(
        "openRealtimeSession",
        BROWSER_SESSIONS,
        "Open a session for a browser",
        "Negotiate at once: the secret ends after about a minute. `endpoint` is only for organizations that have "
        "listed endpoints of their own; any address of OpenAI's means OpenAI.",
        body=RealtimeSessionSerializer,
        asked={
            "example": {
                "model": "gpt-4o-realtime-preview",
                "voice": "verse",
                "endpoint": "https://api.openai.com/v1/realtime/sessions",
            }
        },
        answers=(RealtimeSessionOpened,),
        answered={
            "opened": {
                "session": {
                    "id": "sess_abc123",
                    "model": "gpt-4o-realtime-preview",
                    "model_used": "gpt-realtime",
                    "voice_used": "verse",
                    "expires_at": "2025-10-09T18:00:00Z",
                    "client_secret": {"value": "rtm_secret_token", "expires_at": "2025-10-09T18:00:00Z"},
                }
            }
        },
        refusals=(
            wrong_fields(model="This field is required."),
            refused(400, "Bad Request", "This endpoint is not allowed for your organization."),
            refused(500, "Provider error", "OpenAI returned 401 Unauthorized", code="provider_error"),
        ),
        samples=(Sample("Open one", body={"model": "gpt-4o-realtime-preview", "voice": "verse"}),),
    ),
)
