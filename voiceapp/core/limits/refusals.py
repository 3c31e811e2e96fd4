"""What a client hears that asked too often (429), or while nothing can count (503); its view's shape words it."""

from __future__ import annotations

from http import HTTPStatus

from voiceapp.core.api.errors import ApiError

from .usage import Usage


def too_many_requests(usage: Usage) -> ApiError:
    """The details are those of spec 003's table body; `reset` is in epoch seconds."""
    wait_s = usage.retry_after_s
    return ApiError(
        HTTPStatus.TOO_MANY_REQUESTS,
        "Too many requests",
        f"Only {usage.limit} requests are taken at a time. Try again in {wait_s} s.",
        code="rate_limited",
        details={
            "retryAfter": wait_s,
            "limit": usage.limit,
            "remaining": usage.remaining,
            "reset": usage.resets_at,
        },
        wait_s=wait_s,
    )


def not_counted(usage: Usage) -> ApiError:
    """What makes something, or costs money, does not go uncounted."""
    return ApiError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Service unavailable",
        "Requests cannot be counted at the moment. Try again in a few seconds.",
        wait_s=usage.retry_after_s,
    )
