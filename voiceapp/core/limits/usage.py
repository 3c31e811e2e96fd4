"""The usage of a limit: its headers, and its errors 429 and 503."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Self

from voiceapp.core.api.errors import ApiError, Problem

from .limit import Rate

RETRY_AFTER_S = 5


class Counter(Enum):
    """Where a request was counted."""

    CACHE = auto()
    DATABASE = auto()
    NONE = auto()


@dataclass(frozen=True, slots=True)
class Usage:
    """`used` includes this request. `resets_at` is the first second (of the epoch) of the next window."""

    limit: int
    used: int
    resets_at: int
    counted_in: Counter = Counter.NONE

    @classmethod
    def without_counters(cls, rate: Rate, *, is_open: bool) -> Self:
        """Without counters: either everything is allowed, or nothing for a few seconds."""
        return cls(rate.count, 0 if is_open else rate.count, int(time.time()) + RETRY_AFTER_S)

    @property
    def is_exceeded(self) -> bool:
        return self.used > self.limit

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)

    @property
    def retry_after_s(self) -> int:
        return max(1, self.resets_at - int(time.time()))

    def headers(self) -> Mapping[str, str]:
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.resets_at),
        }


TOO_MANY_REQUESTS = Problem(
    429,
    "Too many requests",
    "The limit is 3 requests. Try again in 42 s.",
    code="rate_limited",
    details={"retryAfter": 42, "limit": 3, "remaining": 0, "reset": 1640995200},
)
COUNTERS_UNAVAILABLE = Problem(
    503, "Service unavailable", "Rate limits cannot be checked right now. Try again in a few seconds."
)


def too_many_requests(usage: Usage) -> ApiError:
    """The details are those of spec 003; `reset` is in epoch seconds."""
    retry_after_s = usage.retry_after_s
    return TOO_MANY_REQUESTS.error(
        f"The limit is {usage.limit} requests. Try again in {retry_after_s} s.",
        details={
            "retryAfter": retry_after_s,
            "limit": usage.limit,
            "remaining": usage.remaining,
            "reset": usage.resets_at,
        },
        retry_after_s=retry_after_s,
    )


def counters_unavailable(usage: Usage) -> ApiError:
    """For requests that create something or cost money."""
    return COUNTERS_UNAVAILABLE.error(retry_after_s=usage.retry_after_s)
