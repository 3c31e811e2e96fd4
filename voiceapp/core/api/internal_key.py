"""The credential of our own machines: `Authorization: Bearer <INTERNAL_API_KEY>`."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request

from voiceapp.core.limits.credentials import count_wrong_credential
from voiceapp.core.limits.views import LimitedView

from .errors import ApiError, InternalError, Problem

KEY_NEEDED = Problem(401, message="A valid internal key is needed as a bearer token.", code="unauthenticated")


@dataclass(frozen=True, slots=True)
class OwnMachine:
    """The principal when the key is right. It implies no user and no organization."""

    is_authenticated: bool = True


def has_internal_key(request: HttpRequest) -> bool:
    """Whether the request carries the key; never when none is configured."""
    scheme, _, key = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    # Servers decode headers as latin-1; the bytes are compared in constant time.
    sent = key.strip().encode("latin-1", "replace")
    is_equal = hmac.compare_digest(sent, settings.INTERNAL_API_KEY.encode())
    return bool(settings.INTERNAL_API_KEY) and scheme.lower() == "bearer" and is_equal


def without_internal_key(request: HttpRequest) -> JsonResponse | None:
    """The response to a request without the key, for views outside the API: 401, or 429 after many wrong keys."""
    if has_internal_key(request):
        return None
    if request.META.get("HTTP_AUTHORIZATION"):
        try:
            count_wrong_credential(request)
        except ApiError as exc:
            body = InternalError.render(exc.problem)
            return JsonResponse(body, status=exc.status_code, headers={"Retry-After": str(exc.wait)})
    return JsonResponse(InternalError.render(KEY_NEEDED), status=401, headers={"WWW-Authenticate": "Bearer"})


class InternalKeyAuthentication(BaseAuthentication):
    """401 to everyone without the key; a cookie or another credential changes nothing."""

    def authenticate(self, request: Request) -> tuple[OwnMachine, None]:
        if not has_internal_key(request._request):
            is_guess = bool(request.META.get("HTTP_AUTHORIZATION"))
            raise (AuthenticationFailed if is_guess else NotAuthenticated)(KEY_NEEDED.message)
        return OwnMachine(), None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class InternalView(LimitedView):
    """An endpoint for the internal key alone. Wrong keys are limited, right ones are not."""

    authentication_classes = [InternalKeyAuthentication]
    common_problems = (KEY_NEEDED,)
