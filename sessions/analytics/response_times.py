"""Response times as counts in fixed buckets, which can be added: their percentiles are known within 7.5 %.

Plain values: no Django.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

FIRST_MS, GROWTH = 200, 1.15
# Each bucket but the first and the last ends 15 % after it begins: from 0.2 s to 7.6 s.
BOUNDS_MS: tuple[int, ...] = tuple(round(FIRST_MS * GROWTH**step) for step in range(27))
BUCKETS = len(BOUNDS_MS) + 1
# Of a percentile that lies between the first and the last bound.
GREATEST_ERROR = 0.075


def bucket_of(response_ms: int) -> int:
    """0 for less than the first bound, `BUCKETS - 1` from the last one on."""
    return bisect_right(BOUNDS_MS, response_ms)


def percentile_ms(counts: Sequence[int], percent: int) -> float | None:
    """The nearest-rank percentile, or None of no response times. What is off the scale counts as its bound."""
    total = sum(counts)
    if not total:
        return None
    rank, seen = -(-total * percent // 100), 0
    for bucket, count in enumerate(counts):
        seen += count
        if seen >= rank:
            return _middle_ms(bucket)
    raise AssertionError("no rank is beyond the total")


def _middle_ms(bucket: int) -> float:
    """As far, in relation, from both of the bucket's bounds."""
    below = BOUNDS_MS[max(bucket - 1, 0)]
    above = BOUNDS_MS[min(bucket, len(BOUNDS_MS) - 1)]
    return float((below * above) ** 0.5)
