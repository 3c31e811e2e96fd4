"""How far a limit is used up, and the headers that say so."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Self

from .rates import Rate

TRY_AGAIN_AFTER_S = 5


class Counter(Enum):
    """Where a request was counted."""

    CACHE = auto()
    DATABASE = auto()
    NONE = auto()


@dataclass(frozen=True, slots=True)
class Usage:
    """`used` counts this request too. `resets_at` is the first second (of the epoch) of the next window."""

    limit: int
    used: int
    resets_at: int
    counted_in: Counter = Counter.NONE

    @classmethod
    def uncounted(cls, rate: Rate, *, is_open: bool) -> Self:
        """Nothing could count: either all is free, or nothing is for a moment."""
        return cls(rate.count, 0 if is_open else rate.count, int(time.time()) + TRY_AGAIN_AFTER_S)

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
