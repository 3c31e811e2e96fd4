"""`POST /voice-session`: a credential with which a browser talks to OpenAI Realtime by itself."""

from __future__ import annotations

from http import HTTPStatus

import structlog
from rest_framework.request import Request
from rest_framework.response import Response

from agents.organizations.api import CustomerView
from sessions.realtime.services.voice_sessions import open_voice_session
from voiceapp.core.api.errors import ApiError, wait_of
from voiceapp.core.api.strict_fields import TextField, TruthField
from voiceapp.core.api.strict_json import StrictSerializer
from voiceapp.core.api.timestamps import iso_z
from voiceapp.core.limits.limit import SESSION_CREATION
from voiceapp.providers.openai.client import OpenAIError, OpenAIErrorKind

log = structlog.get_logger(__name__)

LONGEST_INSTRUCTIONS = 32_000
MAY_PASS = {
    OpenAIErrorKind.KEY_UNAVAILABLE,
    OpenAIErrorKind.UNAVAILABLE,
    OpenAIErrorKind.TIMEOUT,
    OpenAIErrorKind.RATE_LIMITED,
}
FAILED = "Failed to create session"


class VoiceSessionRequest(StrictSerializer):
    instructions = TextField(
        required=False, default="", allow_blank=True, max_length=LONGEST_INSTRUCTIONS, help_text="After the template."
    )
    text_only = TruthField(required=False, default=False, help_text="The model answers in text alone.")


class VoiceSessionView(CustomerView):
    scope_area = "sessions"
    limits = {"POST": SESSION_CREATION}

    def post(self, request: Request) -> Response:
        body = VoiceSessionRequest(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            opened = open_voice_session(
                self.principal,
                instructions=body.validated_data["instructions"],
                is_text_only=body.validated_data["text_only"],
            )
        except OpenAIError as exc:
            log.warning("voice_session_not_opened", kind=exc.kind, error=str(exc))
            raise openai_refusal(exc, title=FAILED) from exc
        return Response(
            {
                "client_secret": opened.secret.value,
                "expires_at": iso_z(opened.secret.expires_at),
                "session_id": opened.record.session_id,
            }
        )


def openai_refusal(error: OpenAIError, *, title: str) -> ApiError:
    """503 where a later try may succeed, else 500: without a key as well. `title` is what could not be done."""
    if error.kind in MAY_PASS:
        return ApiError(
            HTTPStatus.SERVICE_UNAVAILABLE, "Voice service unavailable", error.public_message, wait_s=wait_of(error)
        )
    return ApiError(HTTPStatus.INTERNAL_SERVER_ERROR, title, error.public_message)
