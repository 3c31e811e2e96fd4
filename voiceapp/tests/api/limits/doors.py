"""Endpoints with limits, as the product's own declare them, behind an authentication that believes a header."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID, uuid5

from django.urls import path
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from voiceapp.api.limits import READ, REALTIME, REALTIME_SESSION, RECORDING, SESSION_CREATION, LimitedView

NAMESPACE = UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")


@dataclass(frozen=True, slots=True)
class Somebody:
    subject: str
    organization_ids: frozenset[UUID] = field(default_factory=frozenset)
    is_authenticated: bool = True


class Believing(BaseAuthentication):
    """`X-Subject: alice`, or `alice@diner` for a member of an organisation, or two: `alice@diner@bar`."""

    def authenticate(self, request: Request) -> tuple[Somebody, None] | None:
        subject, *organizations = request.headers.get("X-Subject", "").split("@")
        if subject == "mallory":
            raise AuthenticationFailed("Nobody knows you.")
        ids = frozenset(uuid5(NAMESPACE, name) for name in organizations)
        return (Somebody(subject, ids), None) if subject else None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class Door(LimitedView):
    authentication_classes = [Believing]

    def get(self, request: Request) -> Response:
        if request.query_params.get("q") == "wrong":
            raise ParseError("Not like this.")
        if request.query_params.get("q") == "broken":
            raise ZeroDivisionError
        return Response({"through": True})

    def post(self, request: Request) -> Response:
        return Response({"through": True})

    def delete(self, request: Request) -> Response:
        return Response({"through": True})


class Session(Door):
    limits = {"GET": READ, "POST": SESSION_CREATION}


class Realtime(Door):
    limits = {"POST": REALTIME}


class Recording(Door):
    limits = {"GET": READ, "POST": RECORDING, "DELETE": RECORDING}


class RealtimeSession(Door):
    limits = {"POST": REALTIME_SESSION}


urlpatterns = [
    path("session", Session.as_view()),
    path("realtime", Realtime.as_view()),
    path("recording", Recording.as_view()),
    path("realtime_session", RealtimeSession.as_view()),
]
handler500 = "voiceapp.error_pages.server_error"
