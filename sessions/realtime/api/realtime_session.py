"""`POST /realtime_session`: a secret with which a browser opens a session of OpenAI Realtime by WebRTC."""

from __future__ import annotations

from django.core.validators import RegexValidator
from rest_framework.request import Request
from rest_framework.response import Response

from agents.organizations.api import CustomerView
from sessions.realtime.services.client_secrets import (
    EndpointRefused,
    FieldRefused,
    ProviderFailed,
    RealtimeSession,
    open_realtime_session,
)
from voiceapp.core.api.errors import ApiError, ErrorShape, FormError
from voiceapp.core.api.strict_fields import TextField
from voiceapp.core.api.strict_json import StrictSerializer
from voiceapp.core.api.timestamps import iso_z
from voiceapp.core.limits.limit import REALTIME_SESSION
from voiceapp.core.web_addresses import LONGEST_ADDRESS

# As names and addresses are; what surrounds them is not trimmed away either.
PLAIN = RegexValidator(r"\A[!-~]+\Z", "Printable ASCII without spaces.")


class RealtimeSessionSerializer(StrictSerializer):
    """The body. Whether an endpoint is allowed is the service's to say."""

    model = TextField(max_length=100, trim_whitespace=False, validators=[PLAIN])
    voice = TextField(max_length=100, trim_whitespace=False, validators=[PLAIN])
    endpoint = TextField(max_length=LONGEST_ADDRESS, trim_whitespace=False, validators=[PLAIN], required=False)


class RealtimeSessionView(CustomerView):
    """Counted per organization."""

    scope_area = "sessions"
    error_shape = ErrorShape.REALTIME_SESSION
    limits = {"POST": REALTIME_SESSION}

    def post(self, request: Request) -> Response:
        body = RealtimeSessionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            session = open_realtime_session(self.principal, **body.validated_data)
        except FieldRefused as exc:
            raise FormError("Bad Request", f"{str(exc).removesuffix('.')} ({exc.field}).") from exc
        except EndpointRefused as exc:
            raise FormError("Bad Request", str(exc)) from exc
        except ProviderFailed as exc:
            raise ApiError(500, "Provider error", str(exc)) from exc
        return Response({"session": session_body(session)})


def session_body(session: RealtimeSession) -> dict[str, object]:
    """The session may be started until its secret expires: it has no other end that is known."""
    expires_at = iso_z(session.expires_at)
    return {
        "id": session.id,
        "model": session.model,
        "model_used": session.model_used,
        "voice_used": session.voice_used,
        "expires_at": expires_at,
        "client_secret": {"value": session.secret, "expires_at": expires_at},
    }
