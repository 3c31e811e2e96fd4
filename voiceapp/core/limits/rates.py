"""How often: `10/h`, `100/15m`. A count, a slash, and a number of seconds, minutes, hours or days."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from functools import cache

SPELLED = re.compile(r"([1-9][0-9]{0,8})/([1-9][0-9]{0,4})?([smhd])")
UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests in each window of so many seconds."""

    count: int
    period_s: int

    def window_ends_at(self, who: str, now_s: int) -> int:
        """The last second (of the epoch) of the window that is open for `who`; windows are spread over the askers.

        The same as django-ratelimit's, so that a counter kept elsewhere agrees with its own.
        """
        if self.period_s == 1:
            return now_s
        end = now_s - now_s % self.period_s + zlib.crc32(who.encode()) % self.period_s
        return end if end >= now_s else end + self.period_s


@cache
def parse_rate(text: str) -> Rate:
    """Raises ValueError for what is no rate."""
    spelled = SPELLED.fullmatch(text.strip())
    if spelled is None:
        raise ValueError(f"{text!r} is no rate")
    count, multiple, unit = spelled.groups()
    return Rate(count=int(count), period_s=int(multiple or 1) * UNITS_S[unit])
