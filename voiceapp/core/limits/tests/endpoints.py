"""Endpoints with limits, as the product's own declare them, behind an authentication that believes a header."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import path
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import (
    AuthenticationFailed,
    NotFound,
    ParseError,
    PermissionDenied,
    UnsupportedMediaType,
    ValidationError,
)
from rest_framework.request import Request
from rest_framework.response import Response

from voiceapp.core.api.errors import ErrorBody, Problem, RealtimeSessionError, VoiceError
from voiceapp.core.limits.limit import READ, REALTIME, REALTIME_SESSION, RECORDING, SESSION_CREATION
from voiceapp.core.limits.views import LimitedView


@dataclass(frozen=True, slots=True)
class Somebody:
    subject: str
    tenant: str
    is_authenticated: bool = True


class Believing(BaseAuthentication):
    """`X-Subject: alice`, or `alice@diner` for one who acts for an organization."""

    def authenticate(self, request: Request) -> tuple[Somebody, None] | None:
        subject, _, organization = request.headers.get("X-Subject", "").partition("@")
        if subject == "mallory":
            raise AuthenticationFailed("Unknown subject.")
        return (Somebody(subject, organization or subject), None) if subject else None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class Endpoint(LimitedView):
    authentication_classes = [Believing]
    error_shape: type[ErrorBody] = VoiceError

    def get(self, request: Request) -> Response:
        if request.query_params.get("q") == "wrong":
            raise ParseError("Not like this.")
        if request.query_params.get("q") == "broken":
            raise ZeroDivisionError
        return Response({"through": True})

    def post(self, request: Request) -> Response:
        return Response({"through": True})

    def patch(self, request: Request) -> Response:
        if "no" in request.query_params:
            raise {
                "form": ParseError("Not like this."),
                "field": ValidationError({"name": ["Wrong."]}),
                "rule": Problem(400, "Nothing to update", "Give something.", malformed=True).error(),
                "type": UnsupportedMediaType("text/plain"),
                "scope": PermissionDenied(),
                "provider": Problem(503, "Away").error(),
                "state": Problem(409, "Taken").error(),
                "missing": NotFound(),
            }[request.query_params["no"]]
        return Response({"through": True})

    def delete(self, request: Request) -> Response:
        return Response({"through": True})


class Session(Endpoint):
    limits = {"GET": READ, "POST": SESSION_CREATION, "PATCH": SESSION_CREATION}


class Realtime(Endpoint):
    limits = {"POST": REALTIME}


class Recording(Endpoint):
    limits = {"GET": READ, "POST": RECORDING, "PATCH": RECORDING}


class RealtimeSession(Endpoint):
    limits = {"POST": REALTIME_SESSION}
    error_shape = RealtimeSessionError


urlpatterns = [
    path("session", Session.as_view()),
    path("realtime", Realtime.as_view()),
    path("recording", Recording.as_view()),
    path("realtime_session", RealtimeSession.as_view()),
]
handler500 = "voiceapp.error_pages.server_error"
