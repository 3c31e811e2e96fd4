"""Rates and limits: the setting of each limit, what it counts, and what it does if counters are unavailable."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from functools import cache

from django.conf import settings

SPELLED = re.compile(r"([1-9][0-9]{0,8})/([1-9][0-9]{0,4})?([smhd])")
UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` requests in each window of `period_s`."""

    count: int
    period_s: int

    def window_ends_at(self, client: str, now_s: int) -> int:
        """The last second (of the epoch) of the current window of `client`; clients have different windows.

        The same as django-ratelimit's, so that a counter in the database continues its window.
        """
        if self.period_s == 1:
            return now_s
        end = now_s - now_s % self.period_s + zlib.crc32(client.encode()) % self.period_s
        return end if end >= now_s else end + self.period_s


@cache
def parse_rate(text: str) -> Rate:
    """Raises ValueError if the text is no rate."""
    spelled = SPELLED.fullmatch(text.strip())
    if spelled is None:
        raise ValueError(f"{text!r} is no rate")
    count, multiple, unit = spelled.groups()
    return Rate(count=int(count), period_s=int(multiple or 1) * UNITS_S[unit])


@dataclass(frozen=True, slots=True)
class Limit:
    """One row of the table in docs/reference/limits.md. Its rate is the setting `LIMIT_<NAME>`."""

    name: str
    is_per_tenant: bool = False
    # Without counters: reading is allowed; creating, or what costs money, is not.
    is_open_without_counters: bool = False
    # Counts requests with form errors, too.
    counts_refused: bool = False
    # Counts requests that failed at a provider, too.
    counts_failed: bool = True

    @property
    def setting(self) -> str:
        return f"LIMIT_{self.name.upper()}"

    @property
    def rate(self) -> Rate:
        return parse_rate(getattr(settings, self.setting))


SESSION_CREATION = Limit("session_creation", counts_failed=False)
REALTIME = Limit("realtime")
RECORDING = Limit("recording")
READ = Limit("read", is_open_without_counters=True, counts_refused=True)
REALTIME_SESSION = Limit("realtime_session", is_per_tenant=True, counts_failed=False)

LIMITS = (SESSION_CREATION, REALTIME, RECORDING, READ, REALTIME_SESSION)

# Failures at a provider that are not counted by the limit on creation.
FAILED = Limit("failed")
WRONG_CREDENTIALS = Limit("wrong_credentials", is_open_without_counters=True, counts_refused=True)
SIGN_IN = Limit("sign_in", counts_refused=True)
SIGN_IN_ADDRESS = Limit("sign_in_address", counts_refused=True)
SECOND_FACTOR = Limit("second_factor", counts_refused=True)
INVITATION = Limit("invitation")

# The page of a call in a room asks how it is going when the agent has done something, and every 6 s.
CALL_PROGRESS = Limit("call_progress", is_open_without_counters=True, counts_refused=True)
VISITOR_CALL = Limit("visitor_call")
VISITOR_CALL_ADDRESS = Limit("visitor_call_address")

CALENDAR_FEED = Limit("calendar_feed", is_open_without_counters=True, counts_refused=True)

GUARDS = (
    FAILED,
    WRONG_CREDENTIALS,
    SIGN_IN,
    SIGN_IN_ADDRESS,
    SECOND_FACTOR,
    INVITATION,
    CALL_PROGRESS,
    VISITOR_CALL,
    VISITOR_CALL_ADDRESS,
    CALENDAR_FEED,
)
