"""Patience with a fault that may pass: the longer it lasts, the longer the waits, and none is counted for a day."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from voiceapp.providers.errors import ProviderError

SHORTEST_WAIT_S, LONGEST_WAIT_S = 2.0, 600.0


def with_patience(fault: ProviderError, *, since: dt.datetime, longest_s: float = LONGEST_WAIT_S) -> ProviderError:
    """The same, with a wait of half the time since then: a wait that is named is no attempt on a job's first day
    (engine.py)."""
    if fault.permanent:
        return fault
    wait_s = min(max((timezone.now() - since).total_seconds() / 2, SHORTEST_WAIT_S), longest_s)
    return ProviderError(fault.provider, fault.reason, retry_after_s=max(fault.retry_after_s or 0, wait_s))
