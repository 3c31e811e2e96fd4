"""The limits of the API, out of the way of tests that are not about them."""

from __future__ import annotations

from pytest_django import Settings

from voiceapp.core.limits.limit import GUARDS, LIMITS


def raise_limits(settings: Settings, rate: str = "10000/h") -> None:
    """Every limit is this one."""
    for limit in (*LIMITS, *GUARDS):
        setattr(settings, limit.setting, rate)
