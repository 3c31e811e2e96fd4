"""Who opens the dialer's socket: a page of ours, with the session of somebody who may call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse

from agents.organizations.access import access_of
from agents.organizations.models import Organization
from agents.organizations.roles import Area

# What is read of a socket's scope; the server's own objects cannot go to another process.
READ = ("scheme", "path", "query_string", "root_path", "headers", "client", "server")


class SocketRefused(Exception):
    """The socket gets no call; `message` says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Caller:
    organization: Organization
    subject: str


def http_scope(scope: Mapping[str, Any]) -> dict[str, Any]:
    """The handshake as the scope of a request."""
    read = {name: scope[name] for name in READ if name in scope}
    scheme = "https" if scope.get("scheme") in ("wss", "https") else "http"
    return {**read, "type": "http", "method": "GET", "scheme": scheme}


def is_own_page(scope: dict[str, Any]) -> bool:
    """Whether the Origin is ours: only browsers send one, and a page of another site must not call with our cookie."""
    request = ASGIRequest(scope, BytesIO())
    origin = request.headers.get("Origin", "")
    try:
        own = f"{request.scheme}://{request.get_host()}"
    except DisallowedHost:
        return False
    return origin == own or origin in settings.CSRF_TRUSTED_ORIGINS


def caller_of(scope: dict[str, Any], slug: str) -> Caller:
    """Raises SocketRefused."""
    request = ASGIRequest(scope, BytesIO())
    SessionMiddleware(_nothing).process_request(request)
    AuthenticationMiddleware(_nothing).process_request(request)
    if not request.user.is_authenticated:
        raise SocketRefused("signed_out", "You are signed out. Sign in again, then call.")
    principal = access_of(request).principal(Area.CALLS)
    organization = Organization.objects.visible_to(principal).filter(slug=slug).first()
    if organization is None:
        raise SocketRefused("not_allowed", "You may not call this organization, or it does not exist.")
    return Caller(organization, principal.subject)


def _nothing(request: HttpRequest) -> HttpResponse:
    return HttpResponse()
