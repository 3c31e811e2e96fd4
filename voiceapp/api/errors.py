"""The error shapes of the JSON endpoints."""

from __future__ import annotations

from rest_framework.response import Response
from rest_framework.views import exception_handler


def handle(exc: Exception, context: dict[str, object]) -> Response | None:
    """Turn a refusal into the shape of its API."""
    return exception_handler(exc, context)
