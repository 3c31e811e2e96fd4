"""The one shape of an error: `{"error": {"code", "message", "requestId"}}`, with `fields` where a body was wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NotRequired, TypedDict

import structlog
from django.db import DataError
from rest_framework.exceptions import ErrorDetail, ParseError
from rest_framework.response import Response
from rest_framework.views import exception_handler

# How codes are called where Django REST framework and HTTP disagree with plain words.
CODES = {"parse_error": "invalid", "not_authenticated": "unauthenticated", "authentication_failed": "unauthenticated"}


class ErrorBody(TypedDict):
    """`code` is for machines and does not change; `message` says what to do."""

    code: str
    message: str
    requestId: str
    fields: NotRequired[Mapping[str, object]]


def error_body(code: str, message: str) -> dict[str, ErrorBody]:
    """An error in its shape; the request id is the one in the logs and in `X-Request-ID`."""
    request_id = str(structlog.contextvars.get_contextvars().get("request_id", ""))
    return {"error": {"code": code, "message": message, "requestId": request_id}}


def handle(exc: Exception, context: dict[str, object]) -> Response | None:
    """Turn a refusal into the shape; None for what is no refusal but our own fault."""
    if isinstance(exc, DataError):
        # A value that passed every check and that the database still cannot hold.
        exc = ParseError("A value cannot be kept.")
    response = exception_handler(exc, context)
    if response is not None:
        response.data = _in_shape(response.data)
    return response


def _in_shape(data: object) -> dict[str, ErrorBody]:
    if not isinstance(data, Mapping) or "detail" not in data:
        body = error_body("invalid", "Some fields cannot be taken as they are.")
        body["error"]["fields"] = data if isinstance(data, Mapping) else {"body": data}
        return body
    message = data["detail"]
    code = data.get("code") or (message.code if isinstance(message, ErrorDetail) else "refused")
    return error_body(CODES.get(str(code), str(code)), str(message))
