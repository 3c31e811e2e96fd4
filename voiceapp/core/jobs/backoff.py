"""How long to wait before the next try: twice as long each time, with jitter, never less than the receiver named."""

from __future__ import annotations

import random


def wait_before_retry_s(attempts: int, *, first_s: float, longest_s: float, named_s: float | None = None) -> float:
    """`attempts` were made, at least one. `named_s`: the wait of a `Retry-After`."""
    wait_s = min(longest_s, first_s * 2.0 ** max(0, attempts - 1)) * random.uniform(0.5, 1)
    return wait_s if named_s is None else max(wait_s, named_s)
