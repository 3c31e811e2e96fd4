"""When a reminder may be sent: not in the organization's quiet hours. Pure: times are arguments."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import dataclass

# A reminder that comes later than this before its appointment is of no use.
NOTICE = dt.timedelta(hours=1)
ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Local times; `until` at or before `since` is on the next day. Equal: there are none."""

    zone: zoneinfo.ZoneInfo
    since: dt.time
    until: dt.time

    def around(self, at: dt.datetime) -> tuple[dt.datetime, dt.datetime] | None:
        """Beginning and end, in UTC, of the quiet hours that hold `at`; None outside of them."""
        if self.since == self.until:
            return None
        today = at.astimezone(self.zone).date()
        for date in (today - ONE_DAY, today):
            ends_on = date if self.until > self.since else date + ONE_DAY
            begins = dt.datetime.combine(date, self.since, self.zone).astimezone(dt.UTC)
            ends = dt.datetime.combine(ends_on, self.until, self.zone).astimezone(dt.UTC)
            if begins <= at < ends:
                return begins, ends
        return None


def reminder_time(
    starts_at: dt.datetime, *, hours_before: int, quiet: QuietHours, now: dt.datetime
) -> dt.datetime | None:
    """When to remind of what starts at that time; None where a reminder would come too late, or in quiet hours only.

    One that is due in quiet hours comes when they end, or when they begin if that would be too late.
    """
    due_at = starts_at - dt.timedelta(hours=hours_before)
    if hours_before == 0 or due_at < now + NOTICE:
        return None  # the confirmation has just said it
    if (span := quiet.around(due_at)) is None:
        return due_at
    begins, ends = span
    if ends <= starts_at - NOTICE:
        return ends
    earlier = begins - dt.timedelta(minutes=1)
    return earlier if earlier > now + NOTICE else None
