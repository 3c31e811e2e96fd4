"""Reminders keep the quiet hours of the organization's zone, across midnight and when clocks change."""

from __future__ import annotations

import datetime as dt
import zoneinfo

import pytest

from sessions.messages.texts.quiet_hours import QuietHours, reminder_time

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
QUIET = QuietHours(BERLIN, dt.time(21), dt.time(8))


def berlin(day: int, hour: int, minute: int = 0, month: int = 12) -> dt.datetime:
    return dt.datetime(2026, month, day, hour, minute, tzinfo=BERLIN)


NOW = berlin(1, 12)


@pytest.mark.parametrize(("starts_at", "hours", "expected"), [
    (berlin(3, 10), 24, berlin(2, 10)),
    (berlin(3, 7, 30), 24, berlin(2, 8)),  # due while it is quiet: when that ends
    (berlin(3, 22), 24, berlin(3, 8)),
    (berlin(3, 8, 30), 2, berlin(2, 20, 59)),  # that would be too late: before it begins
    (berlin(3, 9), 2, berlin(3, 8)),
    (berlin(3, 10), 0, None),
    (berlin(2, 12, 30), 24, None),  # the confirmation has just said it
    (berlin(2, 13, 1), 24, berlin(1, 13, 1)),
])  # fmt: skip
def test_a_reminder_comes_outside_of_the_quiet_hours(
    starts_at: dt.datetime, hours: int, expected: dt.datetime | None
) -> None:
    assert reminder_time(starts_at, hours_before=hours, quiet=QUIET, now=NOW) == expected


def test_no_reminder_comes_where_only_quiet_hours_are_left() -> None:
    late = berlin(1, 20, 30)
    assert reminder_time(berlin(2, 8, 30), hours_before=2, quiet=QUIET, now=late) is None


@pytest.mark.parametrize(("at", "is_quiet"), [
    (berlin(1, 20, 59), False), (berlin(1, 21), True), (berlin(2, 0), True), (berlin(2, 7, 59), True),
    (berlin(2, 8), False),
    (berlin(25, 2, 30, month=10), True),  # the hour that comes twice
    (berlin(29, 3, 30, month=3), True),  # after the hour that never comes
])  # fmt: skip
def test_quiet_hours_run_past_midnight(at: dt.datetime, is_quiet: bool) -> None:
    assert (QUIET.around(at) is not None) == is_quiet


def test_equal_times_mean_no_quiet_hours() -> None:
    assert QuietHours(BERLIN, dt.time(8), dt.time(8)).around(berlin(1, 8)) is None


def test_quiet_hours_may_lie_within_a_day() -> None:
    siesta = QuietHours(BERLIN, dt.time(13), dt.time(15))
    assert siesta.around(berlin(1, 14)) == (berlin(1, 13), berlin(1, 15))
    assert siesta.around(berlin(1, 15)) is None
