"""Refusals as each API says them: a view names its shape by `error_shape`, the internal API's is the default."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from http import HTTPStatus
from typing import NotRequired, TypedDict

import structlog
from django.core.exceptions import PermissionDenied
from django.db import DataError
from django.http import Http404
from rest_framework.exceptions import APIException, ErrorDetail, NotFound, ParseError
from rest_framework.exceptions import PermissionDenied as Forbidden
from rest_framework.response import Response
from rest_framework.views import exception_handler

from voiceapp.providers.errors import ProviderError

# How codes are called where Django REST framework and HTTP disagree with plain words.
CODES = {"parse_error": "invalid", "not_authenticated": "unauthenticated", "authentication_failed": "unauthenticated"}
FIELDS_REFUSED = "Some fields cannot be taken as they are."
# When to ask again for what a company that is away kept us from doing.
AWAY_WAIT_S = 5


def wait_of(error: ProviderError) -> int:
    """The seconds until another try is worth it: what the provider names, and never less than ours."""
    return max(AWAY_WAIT_S, math.ceil(error.retry_after_s or 0))


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is known of an error before it has a shape.

    `title` is the kind of error in a few words for people, empty where nobody named one; `fields` tells which fields
    were wrong and why; `details` are facts about the error, in the names of the API.
    """

    status: int
    code: str
    message: str
    title: str = ""
    fields: Mapping[str, object] = field(default_factory=dict)
    details: Mapping[str, object] = field(default_factory=dict)


class ErrorShape(Enum):
    """Whose error bodies a view has: ours for machines, the voice API's, or `/realtime_session`'s."""

    INTERNAL = auto()
    VOICE = auto()
    REALTIME_SESSION = auto()


class ApiError(APIException):
    """A refusal with its own status and title: `raise ApiError(409, "Active session already exists for this room")`."""

    def __init__(
        self,
        status: int,
        title: str,
        message: str = "",
        *,
        code: str = "",
        details: Mapping[str, object] | None = None,
        wait_s: int | None = None,
    ) -> None:
        super().__init__(message or title, code or HTTPStatus(status).name.lower())
        self.status_code = status
        self.title = title
        self.details = details or {}
        if wait_s is not None:
            self.wait = wait_s  # Django REST framework turns it into Retry-After


class FormError(ApiError):
    """400 for what is wrong with the request itself, whatever the state of things. It uses up no limit."""

    def __init__(self, title: str, message: str, *, details: Mapping[str, object] | None = None) -> None:
        super().__init__(HTTPStatus.BAD_REQUEST, title, message, details=details)


class ErrorBody(TypedDict):
    """`code` is for machines and does not change; `message` says what to do."""

    code: str
    message: str
    requestId: str
    fields: NotRequired[Mapping[str, object]]


def error_body(code: str, message: str) -> dict[str, ErrorBody]:
    """An error in the internal shape; the request id is the one in the logs and in `X-Request-ID`."""
    request_id = str(structlog.contextvars.get_contextvars().get("request_id", ""))
    return {"error": {"code": code, "message": message, "requestId": request_id}}


def internal_shape(refusal: Refusal) -> Mapping[str, object]:
    """`{"error": {"code", "message", "requestId"}}`, with `fields` where a body was wrong."""
    body = error_body(refusal.code, refusal.message)
    if refusal.fields:
        body["error"]["fields"] = refusal.fields
    return body


def voice_shape(refusal: Refusal) -> Mapping[str, object]:
    """`{"error", "message", "details"}` of the voice API; its 401 and 429 are exactly what its documentation shows."""
    if refusal.status == HTTPStatus.UNAUTHORIZED:
        return {"error": "Unauthorized"}
    if refusal.status == HTTPStatus.TOO_MANY_REQUESTS:
        return {"error": "Too many requests", "message": "Please try again later", **refusal.details}
    title = refusal.title or HTTPStatus(refusal.status).phrase
    details = {**({"fields": refusal.fields} if refusal.fields else {}), **refusal.details}
    return {"error": title, "message": refusal.message, "details": details}


REALTIME_SESSION_CODES = {
    400: "invalid_request",
    401: "unauthorized",
    403: "forbidden",
    429: "rate_limited",
    500: "provider_error",
    503: "unavailable",
}


def realtime_session_shape(refusal: Refusal) -> Mapping[str, object]:
    """`{"error_code", "message"}` of `/realtime_session`."""
    wrong = f" ({', '.join(refusal.fields)})" if refusal.fields else ""
    return {
        "error_code": REALTIME_SESSION_CODES.get(refusal.status, refusal.code),
        "message": refusal.message.removesuffix(".") + f"{wrong}." if wrong else refusal.message,
    }


SHAPES: Mapping[ErrorShape, Callable[[Refusal], Mapping[str, object]]] = {
    ErrorShape.INTERNAL: internal_shape,
    ErrorShape.VOICE: voice_shape,
    ErrorShape.REALTIME_SESSION: realtime_session_shape,
}


def shape_at(path: str) -> ErrorShape:
    """The shape of errors where no endpoint names one: an address of an API that it does not have."""
    return ErrorShape.VOICE if path.startswith("/api/voice/") else ErrorShape.INTERNAL


def handle(exc: Exception, context: Mapping[str, object]) -> Response | None:
    """Turn a refusal into the shape of its view; None for what is no refusal but our own fault."""
    if isinstance(exc, DataError):
        # A value that passed every check and that the database still cannot hold.
        exc = ParseError("A value cannot be kept.")
    elif isinstance(exc, Http404):
        exc = NotFound()
    elif isinstance(exc, PermissionDenied):
        exc = Forbidden()
    response = exception_handler(exc, dict(context))
    if response is not None and isinstance(exc, APIException):
        shape: ErrorShape = getattr(context.get("view"), "error_shape", ErrorShape.INTERNAL)
        response.data = SHAPES[shape](_refusal(exc, response))
    return response


def _refusal(exc: APIException, response: Response) -> Refusal:
    title, details = getattr(exc, "title", ""), getattr(exc, "details", {})
    data = response.data
    if not isinstance(data, Mapping) or "detail" not in data:
        fields = data if isinstance(data, Mapping) else {"body": data}
        return Refusal(response.status_code, "invalid", FIELDS_REFUSED, title, fields, details)
    message = data["detail"]
    code = str(data.get("code") or (message.code if isinstance(message, ErrorDetail) else "refused"))
    return Refusal(response.status_code, CODES.get(code, code), str(message), title, {}, details)
