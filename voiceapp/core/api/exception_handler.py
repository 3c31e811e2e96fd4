"""Renders what the views raise. Apart from `errors`, which the views of Django REST framework import themselves."""

from __future__ import annotations

from collections.abc import Mapping

from django.core.exceptions import PermissionDenied
from django.db import DataError
from django.http import Http404
from rest_framework.exceptions import APIException, ErrorDetail, NotFound, ParseError
from rest_framework.exceptions import PermissionDenied as Forbidden
from rest_framework.response import Response
from rest_framework.views import exception_handler

from .errors import INVALID_FIELDS, ApiError, ErrorBody, InternalError, Problem

# Codes of Django REST framework that have another name in our APIs.
CODES = {"parse_error": "invalid", "not_authenticated": "unauthenticated", "authentication_failed": "unauthenticated"}


def handle(exc: Exception, context: Mapping[str, object]) -> Response | None:
    """Render an exception of the API in the shape of its view; None for a bug of ours."""
    if isinstance(exc, DataError):
        # A value that passed every check and that the database still cannot hold.
        exc = ParseError("A value cannot be kept.")
    elif isinstance(exc, Http404):
        exc = NotFound()
    elif isinstance(exc, PermissionDenied):
        exc = Forbidden()
    response = exception_handler(exc, dict(context))
    if response is not None and isinstance(exc, APIException):
        shape: type[ErrorBody] = getattr(context.get("view"), "error_shape", InternalError)
        response.data = shape.render(exc.problem if isinstance(exc, ApiError) else _problem(response))
    return response


def _problem(response: Response) -> Problem:
    """What Django REST framework made of its own exception."""
    data = response.data
    if not isinstance(data, Mapping) or "detail" not in data:
        fields = data if isinstance(data, Mapping) else {"body": data}
        return Problem(response.status_code, message=INVALID_FIELDS, code="invalid", fields=fields)
    message = data["detail"]
    code = str(message.code if isinstance(message, ErrorDetail) else "error")
    return Problem(response.status_code, message=str(message), code=CODES.get(code, code))
