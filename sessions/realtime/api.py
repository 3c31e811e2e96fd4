"""`POST /voice-session` and `POST /realtime_session`: secrets with which a browser talks to OpenAI Realtime itself."""

from __future__ import annotations

import structlog
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.organizations.api import CustomerView
from sessions.realtime.serializers import (
    RealtimeSessionRequest,
    RealtimeSessionResponse,
    VoiceSessionRequest,
    VoiceSessionResponse,
)
from sessions.realtime.services.client_secrets import (
    EndpointRefused,
    FieldRefused,
    ProviderFailed,
    open_realtime_session,
)
from sessions.realtime.services.voice_sessions import open_voice_session
from voiceapp.core.api.errors import ApiError, Problem, RealtimeSessionError, retry_after_of
from voiceapp.core.api.openapi import errors, samples
from voiceapp.core.api.samples import Sample
from voiceapp.core.limits.limit import REALTIME_SESSION, SESSION_CREATION
from voiceapp.providers.openai.client import OpenAIError, OpenAIErrorKind

logger = structlog.get_logger("voice_sessions")

MAY_PASS = {
    OpenAIErrorKind.KEY_UNAVAILABLE,
    OpenAIErrorKind.UNAVAILABLE,
    OpenAIErrorKind.TIMEOUT,
    OpenAIErrorKind.RATE_LIMITED,
}
NOT_CREATED = Problem(500, "Failed to create session", "OpenAI returned 401 Unauthorized")
VOICE_UNAVAILABLE = Problem(503, "Voice service unavailable", "OpenAI did not respond in time.")
FIELD_INVALID = Problem(400, "Bad Request", "OpenAI has no voice of this name (voice).", malformed=True)
ENDPOINT_NOT_ALLOWED = Problem(400, "Bad Request", str(EndpointRefused()), malformed=True)
PROVIDER_ERROR = Problem(500, "Provider error", "OpenAI returned 401 Unauthorized")


class VoiceSessionView(CustomerView):
    scope_area = "sessions"
    limits = {"POST": SESSION_CREATION}

    @extend_schema(
        operation_id="openVoiceSession",
        tags=["Voice sessions"],
        summary="Open a voice session",
        description="The instructions are those of the organization's published agent, else a built-in text, and then "
        "your own `instructions`. The response holds OpenAI's secret; give it to the browser at once.",
        request=VoiceSessionRequest,
        responses={
            200: VoiceSessionResponse,
            **errors(
                VoiceSessionRequest.invalid({"text_only": ["Must be a valid boolean."]}),
                NOT_CREATED,
                VOICE_UNAVAILABLE,
            ),
        },
        extensions=samples(Sample("Open one", body={"instructions": "Speak slowly.", "text_only": False})),
    )
    def post(self, request: Request) -> Response:
        body = VoiceSessionRequest.of_body(request)
        try:
            opened = open_voice_session(
                self.principal, instructions=body["instructions"], is_text_only=body["text_only"]
            )
        except OpenAIError as exc:
            logger.warning("voice_session_not_opened", kind=exc.kind, error=str(exc))
            raise openai_error(exc) from exc
        return Response(VoiceSessionResponse(opened).data)


def openai_error(error: OpenAIError) -> ApiError:
    """503 where a later try may succeed, else 500: without a key as well."""
    if error.kind in MAY_PASS:
        return VOICE_UNAVAILABLE.error(error.public_message, retry_after_s=retry_after_of(error))
    return NOT_CREATED.error(error.public_message)


class RealtimeSessionView(CustomerView):
    """Counted per organization."""

    scope_area = "sessions"
    error_shape = RealtimeSessionError
    limits = {"POST": REALTIME_SESSION}

    @extend_schema(
        operation_id="openRealtimeSession",
        tags=["Browser sessions"],
        summary="Open a session for a browser",
        description="Negotiate at once: the secret expires after about a minute. `endpoint` is only for organizations "
        "that have endpoints of their own; any address of OpenAI means OpenAI.",
        request=RealtimeSessionRequest,
        responses={
            200: RealtimeSessionResponse,
            **errors(
                RealtimeSessionRequest.invalid({"model": ["This field is required."]}),
                FIELD_INVALID,
                ENDPOINT_NOT_ALLOWED,
                PROVIDER_ERROR,
            ),
        },
        extensions=samples(Sample("Open one", body={"model": "gpt-4o-realtime-preview", "voice": "verse"})),
    )
    def post(self, request: Request) -> Response:
        body = RealtimeSessionRequest.of_body(request)
        try:
            session = open_realtime_session(self.principal, **body)
        except FieldRefused as exc:
            raise FIELD_INVALID.error(f"{str(exc).removesuffix('.')} ({exc.field}).") from exc
        except EndpointRefused as exc:
            raise ENDPOINT_NOT_ALLOWED.error() from exc
        except ProviderFailed as exc:
            raise PROVIDER_ERROR.error(str(exc)) from exc
        return Response(RealtimeSessionResponse(session).data)
