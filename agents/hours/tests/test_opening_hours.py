"""Opening hours: past midnight, special days, the nights when clocks change, and how they are said."""

from __future__ import annotations

import datetime as dt
import zoneinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.hours.models import OpeningHours, SpecialDay, TransferHours
from agents.hours.queries import is_open, load_schedule, opening_hours_sentence, target_hours_sentence, target_schedule
from agents.hours.schedule import Schedule, Span, hours_sentence, say_date_and_time, say_time, week_sentence
from agents.tests.builders import make_organization
from agents.transfers.models import TransferTarget

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
NEW_YORK = zoneinfo.ZoneInfo("America/New_York")
NEW_YEAR = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
MONDAY, FRIDAY, SATURDAY, SUNDAY = 0, 4, 5, 6


def at(text: str, zone: zoneinfo.ZoneInfo = BERLIN, fold: int = 0) -> dt.datetime:
    """A local time like "2026-03-02 12:00"."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold)


def span(opens: str, closes: str) -> Span:
    return Span(dt.time.fromisoformat(opens), dt.time.fromisoformat(closes))


# Monday is lunch and dinner, Friday runs past midnight, Saturday is round the clock.
WEEK = Schedule(
    BERLIN,
    {
        MONDAY: (span("17:00", "22:00"), span("11:30", "14:00")),
        FRIDAY: (span("18:00", "02:00"),),
        SATURDAY: (span("00:00", "00:00"),),
    },
)


@pytest.mark.parametrize(
    ("time", "is_it_open"),
    [
        ("2026-03-02 11:29", False),
        ("2026-03-02 11:30", True),
        ("2026-03-02 13:59", True),
        ("2026-03-02 14:00", False),
        ("2026-03-02 16:59", False),
        ("2026-03-02 21:59", True),
        ("2026-03-02 22:00", False),
        ("2026-03-03 12:00", False),
        ("2026-03-06 17:59", False),
        ("2026-03-06 23:59", True),
        ("2026-03-07 01:59", True),
        ("2026-03-07 23:59", True),
        ("2026-03-08 00:00", False),
    ],
)
def test_it_is_open_in_its_spans_only(time: str, is_it_open: bool) -> None:
    assert WEEK.is_open_at(at(time)) is is_it_open
    assert WEEK.is_open_at(at(time).astimezone(dt.UTC)) is is_it_open


def test_spans_that_touch_are_one() -> None:
    assert WEEK.closing_after(at("2026-03-06 20:00")) == at("2026-03-08 00:00")


def test_after_midnight_the_hours_of_the_day_before_still_hold() -> None:
    only_friday = Schedule(BERLIN, {FRIDAY: (span("18:00", "02:00"),)})
    assert only_friday.is_open_at(at("2026-03-07 01:00"))
    assert not only_friday.is_open_at(at("2026-03-06 01:00"))


def test_a_special_day_replaces_the_week() -> None:
    special = Schedule(BERLIN, WEEK.weekly, {dt.date(2026, 3, 2): None, dt.date(2026, 3, 3): span("09:00", "10:00")})
    assert not special.is_open_at(at("2026-03-02 12:00"))
    assert special.is_open_at(at("2026-03-03 09:30"))
    assert special.next_opening(at("2026-03-01 12:00")) == at("2026-03-03 09:00")


def test_without_weekly_hours_it_is_always_open_but_for_special_days() -> None:
    always = Schedule(BERLIN, {}, {dt.date(2026, 12, 25): None})
    assert hours_sentence(always, at("2026-03-02 03:00")) == "We are open around the clock."
    assert hours_sentence(always, at("2026-12-24 20:00")) == "We are open tonight until midnight."
    assert hours_sentence(always, at("2026-12-25 12:00")) == ("We are closed now and open again tomorrow at midnight.")


def test_in_the_hour_that_comes_twice_it_closes_the_second_time() -> None:
    # 2026-10-25, 03:00 summer time becomes 02:00 winter time in Berlin.
    late = Schedule(BERLIN, {SATURDAY: (span("20:00", "02:30"),)})
    assert late.is_open_at(at("2026-10-25 02:45", fold=0))
    assert late.is_open_at(at("2026-10-25 02:15", fold=1))
    assert not late.is_open_at(at("2026-10-25 02:30", fold=1))


def test_a_time_that_never_comes_is_read_as_the_later_one() -> None:
    # 2026-03-29, 02:00 becomes 03:00 in Berlin: 02:30 reads as 03:30.
    late = Schedule(BERLIN, {SATURDAY: (span("20:00", "02:30"),)})
    assert late.is_open_at(at("2026-03-29 03:15"))
    assert not late.is_open_at(at("2026-03-29 03:30"))


def test_local_hours_move_with_the_clocks() -> None:
    daily = Schedule(NEW_YORK, {day: (span("09:00", "17:00"),) for day in range(7)})
    winter, summer = dt.datetime(2026, 3, 7, 13, 30, tzinfo=dt.UTC), dt.datetime(2026, 3, 8, 13, 30, tzinfo=dt.UTC)
    assert (daily.is_open_at(winter), daily.is_open_at(summer)) == (False, True)


@pytest.mark.parametrize(
    ("time", "sentence"),
    [
        ("2026-03-02 12:00", "We are open today until 2 pm."),
        ("2026-03-02 15:00", "We are closed now and open again today at 5 pm."),
        ("2026-03-01 15:00", "We are closed now and open again tomorrow at 11:30 am."),
        ("2026-03-04 15:00", "We are closed now and open again on Friday at 6 pm."),
        ("2026-03-06 23:00", "We are open until Sunday at midnight."),
        ("2026-03-07 12:00", "We are open tonight until midnight."),
    ],
)
def test_the_hours_are_said(time: str, sentence: str) -> None:
    assert hours_sentence(WEEK, at(time)) == sentence


def test_a_long_pause_is_said_with_its_date_or_as_unknown() -> None:
    closed = {dt.date(2026, 3, 1) + dt.timedelta(days=day): None for day in range(40)}
    assert hours_sentence(Schedule(BERLIN, WEEK.weekly, closed), at("2026-03-02 12:00")) == (
        "We are closed now and open again on Friday, April 10 at 6 pm."
    )
    closed = {dt.date(2026, 3, 1) + dt.timedelta(days=day): None for day in range(90)}
    assert hours_sentence(Schedule(BERLIN, WEEK.weekly, closed), at("2026-03-02 12:00")) == (
        "We are closed until further notice."
    )


def test_times_are_said_as_people_do() -> None:
    times = ["00:00", "00:30", "09:05", "12:00", "12:30", "22:00"]
    assert [say_time(dt.time.fromisoformat(time)) for time in times] == [
        "midnight",
        "12:30 am",
        "9:05 am",
        "noon",
        "12:30 pm",
        "10 pm",
    ]
    assert say_date_and_time(at("2026-03-09 12:00"), at("2026-03-02 12:00"), BERLIN) == "on Monday, March 9 at noon"


def test_the_week_is_said_day_by_day() -> None:
    assert week_sentence(WEEK) == (
        "Monday 11:30 am to 2 pm and 5 pm to 10 pm; Tuesday closed; Wednesday closed; Thursday closed; "
        "Friday 6 pm to 2 am; Saturday midnight to midnight; Sunday closed."
    )
    assert week_sentence(Schedule(BERLIN)) == "Every day around the clock."


@given(
    time=st.integers(0, 2 * 365 * 24 * 60).map(lambda minutes: NEW_YEAR + dt.timedelta(minutes=minutes)),
    zone=st.sampled_from([BERLIN, NEW_YORK, zoneinfo.ZoneInfo("Asia/Kathmandu"), zoneinfo.ZoneInfo("Pacific/Apia")]),
)
def test_open_closing_and_opening_agree(time: dt.datetime, zone: zoneinfo.ZoneInfo) -> None:
    schedule = Schedule(zone, WEEK.weekly)
    closing, opening = schedule.closing_after(time), schedule.next_opening(time)
    assert opening is not None
    if closing is None:
        assert not schedule.is_open_at(opening - dt.timedelta(seconds=1))
        assert schedule.is_open_at(opening)
    else:
        assert schedule.is_open_at(closing - dt.timedelta(seconds=1))
        assert not schedule.is_open_at(closing)


@pytest.mark.django_db
def test_the_hours_in_the_database_are_read() -> None:
    organization = make_organization(time_zone="America/New_York")
    noon = at("2026-03-02 12:00", NEW_YORK)
    assert is_open(organization, noon)
    OpeningHours.objects.create(organization=organization, weekday=0, opens_at=dt.time(11), closes_at=dt.time(14))
    OpeningHours.objects.create(organization=organization, weekday=0, opens_at=dt.time(17), closes_at=dt.time(22))
    assert opening_hours_sentence(organization, noon) == "We are open today until 2 pm."
    assert not is_open(organization, at("2026-03-02 12:00"))
    SpecialDay.objects.create(organization=organization, date=dt.date(2026, 3, 2))
    SpecialDay.objects.create(
        organization=organization, date=dt.date(2026, 3, 9), opens_at=dt.time(8), closes_at=dt.time(9)
    )
    assert not is_open(organization, noon)
    assert is_open(organization, at("2026-03-09 08:30", NEW_YORK))


@pytest.mark.django_db
def test_a_target_without_hours_is_there_while_the_organization_is_open() -> None:
    organization = make_organization()
    OpeningHours.objects.create(organization=organization, weekday=0, opens_at=dt.time(11), closes_at=dt.time(14))
    target = TransferTarget.objects.create(organization=organization, slug="desk", name="Desk", number="+4930123456")
    of_organization = load_schedule(organization)
    assert target_schedule(target, of_organization).is_open_at(at("2026-03-02 12:00"))
    TransferHours.objects.create(target=target, weekday=0, opens_at=dt.time(9), closes_at=dt.time(10))
    schedule = target_schedule(target, of_organization)
    assert not schedule.is_open_at(at("2026-03-02 12:00"))
    assert target_hours_sentence(target, schedule, at("2026-03-02 12:00")) == (
        "Desk is not there now, but again on Monday, March 9 at 9 am."
    )
    never = Schedule(BERLIN, {}, {dt.date(2026, 3, 1) + dt.timedelta(days=day): None for day in range(90)})
    assert target_hours_sentence(target, never, at("2026-03-02 12:00")) == "Desk is not there now."


@pytest.fixture
def night_desk() -> TransferTarget:
    """Mondays from 8 to noon and from 6 pm to 2 am; the organization has a holiday and a short day."""
    organization = make_organization()
    SpecialDay.objects.create(organization=organization, date=dt.date(2026, 3, 2))
    SpecialDay.objects.create(
        organization=organization, date=dt.date(2026, 3, 9), opens_at=dt.time(10), closes_at=dt.time(19)
    )
    target = TransferTarget.objects.create(organization=organization, slug="desk", name="Desk", number="+4930123456")
    for opens, closes in ((8, 12), (18, 2)):
        TransferHours.objects.create(target=target, weekday=0, opens_at=dt.time(opens), closes_at=dt.time(closes))
    return target


SPECIAL_DAYS = [
    ("2026-03-02 09:00", False, True),
    ("2026-03-03 01:00", False, True),
    ("2026-03-09 09:00", False, True),
    ("2026-03-09 11:00", True, True),
    ("2026-03-09 15:00", False, False),
    ("2026-03-09 18:30", True, True),
    ("2026-03-09 19:00", False, True),
    ("2026-03-16 09:00", True, True),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("time", "is_there", "is_there_on_special_days"), SPECIAL_DAYS)
def test_special_days_close_and_shorten_a_targets_own_hours(
    time: str, is_there: bool, is_there_on_special_days: bool, night_desk: TransferTarget
) -> None:
    of_organization = load_schedule(night_desk.organization)
    assert target_schedule(night_desk, of_organization).is_open_at(at(time)) is is_there
    night_desk.takes_calls_on_special_days = True
    assert target_schedule(night_desk, of_organization).is_open_at(at(time)) is is_there_on_special_days


@pytest.mark.django_db
def test_a_target_that_is_away_for_a_holiday_is_there_again_on_the_next_day_with_hours(
    night_desk: TransferTarget,
) -> None:
    schedule = target_schedule(night_desk, load_schedule(night_desk.organization))
    assert target_hours_sentence(night_desk, schedule, at("2026-03-02 09:00")) == (
        "Desk is not there now, but again on Monday, March 9 at 10 am."
    )
