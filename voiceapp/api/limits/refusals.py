"""What a client hears that asked too often, or while nothing can count: 429 and 503, in its API's own shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.response import Response

from .limit import Limit, Shape
from .usage import Usage

UNAVAILABLE = "Requests cannot be counted at the moment. Please try again in a few seconds."


class TooManyRequestsBody(TypedDict):
    """Spec 003, Rate Limiting. `reset` is in epoch seconds."""

    error: str
    message: str
    retryAfter: int
    limit: int
    remaining: int
    reset: int


class UnavailableBody(TypedDict):
    """Spec 003, Error Handling."""

    error: str
    message: str


class RealtimeSessionErrorBody(TypedDict):
    """Spec 004, Error Responses."""

    error_code: str
    message: str


class LimitRefusal(APIException):
    """A request that is not let through."""

    def __init__(self, limit: Limit, usage: Usage) -> None:
        super().__init__()
        self.limit = limit
        self.usage = usage

    def body(self) -> Mapping[str, object]:
        raise NotImplementedError

    def response(self) -> Response:
        headers = {"Retry-After": str(self.usage.retry_after_s)}
        response = Response(self.body(), status=self.status_code, headers=headers)
        response.exception = True
        return response


class TooManyRequests(LimitRefusal):
    """The limit is used up until `usage.resets_at`."""

    status_code = status.HTTP_429_TOO_MANY_REQUESTS

    def body(self) -> TooManyRequestsBody | RealtimeSessionErrorBody:
        usage = self.usage
        if self.limit.shape is Shape.REALTIME_SESSION:
            message = f"Only {usage.limit} requests are taken at a time. Try again in {usage.retry_after_s} s."
            return RealtimeSessionErrorBody(error_code="rate_limited", message=message)
        return TooManyRequestsBody(
            error="Too many requests",
            message="Please try again later",
            retryAfter=usage.retry_after_s,
            limit=usage.limit,
            remaining=usage.remaining,
            reset=usage.resets_at,
        )


class NotCounted(LimitRefusal):
    """Nothing can count, and what is asked for must not go uncounted."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE

    def body(self) -> UnavailableBody | RealtimeSessionErrorBody:
        if self.limit.shape is Shape.REALTIME_SESSION:
            return RealtimeSessionErrorBody(error_code="service_unavailable", message=UNAVAILABLE)
        return UnavailableBody(error="Service unavailable", message=UNAVAILABLE)
