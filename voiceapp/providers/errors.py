"""Errors of providers: whether to retry, and when."""

from __future__ import annotations

import datetime as dt
import math
from email.utils import parsedate_to_datetime
from enum import StrEnum

from voiceapp.core.kept_texts import KeptText

# Longer waits are cut to this.
LONGEST_RETRY_AFTER_S = 24 * 3600


class RetryClass(StrEnum):
    """How to retry a request. WAIT: after the time that the provider names. OUR_BUG: the request itself is wrong.

    The bridge has its own classes for a model's responses (telephony/bridge/core/events.py), for it imports nothing.
    """

    WAIT = "wait"
    AGAIN = "again"
    GIVE_UP = "give up"
    OUR_BUG = "our bug"


PERMANENT = {RetryClass.GIVE_UP, RetryClass.OUR_BUG}
# Statuses below 500 after which the same request may succeed: timeout, conflict, too early, too many.
TEMPORARY = {408, 409, 425, 429}
MALFORMED = {400, 405, 406, 411, 413, 414, 415, 422, 431}


class ProviderError(Exception):
    """`permanent`: the same request would fail again. `retry_after_s`: the wait that the provider names.

    `reason`: the message without the provider's name. Operators read it: a KeptText is translated.
    """

    def __init__(
        self,
        provider: str,
        message: str,
        *,
        permanent: bool = False,
        retry_class: RetryClass | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        is_kept = isinstance(message, KeptText)
        super().__init__(
            KeptText("%(provider)s: %(error)s", provider=provider, error=message)
            if is_kept
            else f"{provider}: {message}"
        )
        self.provider, self.reason = provider, message
        if retry_class is None:
            waits = RetryClass.AGAIN if retry_after_s is None else RetryClass.WAIT
            retry_class = RetryClass.GIVE_UP if permanent else waits
        self.retry_class = retry_class
        self.retry_after_s = None if self.permanent else retry_after_s

    @property
    def permanent(self) -> bool:
        return self.retry_class in PERMANENT


def retry_class_of(status: int, *, retry_after_s: float | None = None) -> RetryClass:
    """The class of an HTTP error; `Retry-After` counts only for statuses that are temporary (RFC 9110, 10.2.3)."""
    if status >= 500 or status in TEMPORARY:
        return RetryClass.AGAIN if retry_after_s is None else RetryClass.WAIT
    return RetryClass.OUR_BUG if status in MALFORMED else RetryClass.GIVE_UP


def retry_after_s(header: str | None) -> float | None:
    """The seconds of a `Retry-After` header, which has seconds or a date; None if it has neither."""
    text = (header or "").strip()
    try:
        wait_s = float(text)
    except ValueError:
        try:
            until = parsedate_to_datetime(text)
        except ValueError:
            return None
        if until.tzinfo is None:
            until = until.replace(tzinfo=dt.UTC)
        wait_s = (until - dt.datetime.now(dt.UTC)).total_seconds()
    return min(max(wait_s, 0.0), LONGEST_RETRY_AFTER_S) if math.isfinite(wait_s) else None
