"""System checks of the rate limits: malformed rates, and several processes that do not share their counters."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from .limit import GUARDS, LIMITS


@register()
def check_limits(**_: object) -> list[CheckMessage]:
    """Errors: a limit that is not enforced is worse than a server that does not start."""
    return [*_rates(), *_processes()]


def _rates() -> Iterator[CheckMessage]:
    for limit in (*LIMITS, *GUARDS):
        try:
            _ = limit.rate
        except ValueError as exc:
            yield Error(
                f"{limit.setting} is malformed: {exc}.",
                hint=f"Set {limit.setting} to a count, a slash and a period in s, m, h or d: 10/h or 100/15m.",
                id="limits.E001",
            )


def _processes() -> Iterator[CheckMessage]:
    if settings.WEB_CONCURRENCY > 1 and not settings.REDIS_URL:
        yield Error(
            "WEB_CONCURRENCY is above 1 and REDIS_URL is not set: each web process would count separately.",
            hint="Set REDIS_URL, like redis://redis:6379/0, or WEB_CONCURRENCY to 1 if there is one web process.",
            id="limits.E002",
        )
