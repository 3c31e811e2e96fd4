"""How long, in words."""

from __future__ import annotations

import math


def in_words(seconds: float) -> str:
    """`1 second`, `40 seconds`, `2 minutes`, `3 hours`: rounded up, so that who waits so long has waited enough."""
    whole = max(1, math.ceil(seconds))
    for size, unit in ((3600, "hour"), (60, "minute")):
        if whole > 1.5 * size:
            return _counted(math.ceil(whole / size), unit)
    return _counted(whole, "second")


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
