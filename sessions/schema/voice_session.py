"""`POST /voice-session` in the API's documentation."""

from __future__ import annotations

from rest_framework import serializers

from sessions.realtime.api.voice_session import FAILED, VoiceSessionRequest, VoiceSessionView
from voiceapp.core.api.schema import Area, Operation, Sample, describe, refused
from voiceapp.core.api.schema.refusals import wrong_fields

VOICE_SESSIONS = Area(
    "Voice sessions",
    "A secret with which a browser talks to OpenAI Realtime by itself. Each session is recorded for 30 days and "
    "announced on a queue.",
    place=10,
)


class VoiceSessionOpened(serializers.Serializer[object]):
    client_secret = serializers.CharField(help_text="For the browser; it opens one session.")
    expires_at = serializers.DateTimeField(help_text="When the secret ends.")
    session_id = serializers.CharField(help_text="OpenAI's id of the session.")


describe(
    VoiceSessionView,
    post=Operation(
        "openVoiceSession",
        VOICE_SESSIONS,
        "Open a voice session",
        "The model is told what the organization's published agent is told, else a built-in text, and then your own "
        "`instructions`. The answer holds OpenAI's secret; give it to the browser at once.",
        body=VoiceSessionRequest,
        asked={
            "example": {"instructions": "Optional custom instructions to append to the template", "text_only": False},
            "nothing said": {},
        },
        answers=(VoiceSessionOpened,),
        answered={
            "opened": {
                "client_secret": "session-client-secret-value",
                "expires_at": "2026-01-29T12:00:00Z",
                "session_id": "session-1234567890",
            }
        },
        refusals=(
            wrong_fields(text_only="Must be a valid boolean."),
            refused(500, FAILED, "OpenAI returned 401 Unauthorized"),
            refused(503, "Voice service unavailable", "OpenAI did not respond in time."),
        ),
        samples=(Sample("Open one", body={"instructions": "Speak slowly.", "text_only": False}),),
    ),
)
