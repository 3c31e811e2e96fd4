"""What callers say of days and times, as days and times. Today is Tuesday, December 1, 2026, 10:00 in Berlin."""

from __future__ import annotations

import datetime as dt
import zoneinfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sessions.appointments.wishes import DoubledTime, NotUnderstood, SkippedTime, Wish, read_wish
from sessions.appointments.wishes.wish import instant

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
NOW = dt.datetime(2026, 12, 1, 9, 0, tzinfo=dt.UTC)


def read(text: str, **options: bool) -> Wish:
    return read_wish(text, now=NOW, zone=BERLIN, **options)


def days(*numbers: str) -> tuple[dt.date, ...]:
    """“12-03”, or with another year “2027-01-08”."""
    return tuple(dt.date.fromisoformat(each if len(each) > 5 else f"2026-{each}") for each in numbers)


def run(first: str, count: int) -> tuple[dt.date, ...]:
    return tuple(days(first)[0] + dt.timedelta(days=number) for number in range(count))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("today", days("12-01")),
        ("tomorrow", days("12-02")),
        ("the day after tomorrow", days("12-03")),
        ("Thursday", days("12-03")),
        ("on Thursday, please", days("12-03")),
        ("Tuesday", days("12-08")),
        ("this Tuesday", days("12-01")),
        ("this Friday", days("12-04")),
        ("next Friday", days("12-11")),
        ("next Tuesday", days("12-08")),
        ("Friday next week", days("12-11")),
        ("next week Friday", days("12-11")),
        ("Friday of the week after next", days("12-18")),
        ("Thursday in two weeks", days("12-17")),
        ("a week from Friday", days("12-11")),
        ("two weeks from Monday", days("12-21")),
        ("in two weeks", days("12-15")),
        ("in a week", days("12-08")),
        ("two weeks from now", days("12-15")),
        ("in 3 days", days("12-04")),
        ("in a month", days("2027-01-01")),
        ("next week", run("12-07", 7)),
        ("this week", run("12-01", 6)),
        ("sometime next week", run("12-07", 7)),
        ("the week after next", run("12-14", 7)),
        ("on the weekend", days("12-05", "12-06")),
        ("next weekend", days("12-12", "12-13")),
        ("next month", run("2027-01-01", 31)),
        ("in December", run("12-01", 31)),
        ("December 4", days("12-04")),
        ("December 4th", days("12-04")),
        ("Dec. 4", days("12-04")),
        ("the fourth of December", days("12-04")),
        ("4 December 2026", days("12-04")),
        ("January 8", days("2027-01-08")),
        ("8th of January, 2028", days("2028-01-08")),
        ("the twenty first of December", days("12-21")),
        ("December twenty-first", days("12-21")),
        ("the 3rd", days("12-03")),
        ("on the first", days("12-01")),
        ("November 30", days("2027-11-30")),
        ("February 29", days("2028-02-29")),
        ("2026-12-04", days("12-04")),
        ("4.12.", days("12-04")),
        ("4.12.2026", days("12-04")),
        ("4/12", days("12-04")),
        ("Monday or Friday", days("12-04", "12-07")),
        ("Thursday or Friday afternoon", days("12-03", "12-04")),
        ("between Thursday and Saturday", run("12-03", 3)),
        ("from December 7 to December 9", run("12-07", 3)),
        ("from Thursday on", run("12-03", 14)),
        ("after Thursday", run("12-04", 14)),
        ("by Friday", run("12-01", 4)),
        ("before Friday", run("12-01", 3)),
        ("Thursday, December 3", days("12-03")),
        ("Friday the 4th", days("12-04")),
        ("tomorrow, Wednesday", days("12-02")),
        ("as soon as possible", ()),
        ("the next available appointment", ()),
        ("first thing", ()),
        ("", ()),
    ],
)
def test_the_days(said: str, expected: tuple[dt.date, ...]) -> None:
    assert read(said).days == expected


def test_where_people_write_the_month_first_it_comes_first() -> None:
    assert read("4/12", is_month_first=True).days == days("2027-04-12")
    assert read("12/4/26", is_month_first=True).days == days("12-04")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("at 9", ["09:00", "21:00"]),
        ("9 am", ["09:00"]),
        ("9 a.m.", ["09:00"]),
        ("9am", ["09:00"]),
        ("3 pm", ["15:00"]),
        ("3:30 p.m.", ["15:30"]),
        ("14:30", ["14:30"]),
        ("09:00", ["09:00"]),
        ("9:30", ["09:30", "21:30"]),
        ("nine", ["09:00", "21:00"]),
        ("nine o'clock", ["09:00", "21:00"]),
        ("nine thirty", ["09:30", "21:30"]),
        ("half past nine", ["09:30", "21:30"]),
        ("quarter to ten", ["09:45", "21:45"]),
        ("quarter past 3 pm", ["15:15"]),
        ("twenty past nine", ["09:20", "21:20"]),
        ("ten minutes to nine", ["08:50", "20:50"]),
        ("noon", ["12:00"]),
        ("12", ["12:00"]),
        ("midnight", ["00:00"]),
        ("12 am", ["00:00"]),
        ("12 pm", ["12:00"]),
        ("9 in the morning", ["09:00"]),
        ("3 in the afternoon", ["15:00"]),
        ("7 in the evening", ["19:00"]),
        ("around 10", ["10:00", "22:00"]),
        ("morning", []),
    ],
)
def test_the_time(said: str, expected: list[str]) -> None:
    assert [f"{clock:%H:%M}" for clock in read(said).clocks] == expected


@pytest.mark.parametrize(
    ("said", "after", "before"),
    [
        ("in the morning", "05:00", "12:00"),
        ("afternoon", "12:00", "18:00"),
        ("evening", "17:00", "22:00"),
        ("morning or afternoon", "05:00", "18:00"),
        ("after 3 pm", "15:00", "23:59"),
        ("after 3", "15:00", "23:59"),
        ("before 10", "00:00", "10:00"),
        ("before 5", "00:00", "17:00"),
        ("between 9 and 11", "09:00", "11:00"),
        ("between 2 and 4", "14:00", "16:00"),
        ("from 11 to 2", "11:00", "14:00"),
        ("10 to 12", "10:00", "12:00"),
        ("in the afternoon after 3", "15:00", "18:00"),
        ("after 9 and before 11", "09:00", "11:00"),
    ],
)
def test_the_part_of_the_day(said: str, after: str, before: str) -> None:
    wish = read(said)
    assert wish.clocks == ()
    assert (f"{wish.after:%H:%M}", f"{wish.before:%H:%M}") == (after, before)


@pytest.mark.parametrize(
    ("said", "date", "clock"),
    [
        ("tomorrow at 9", "2026-12-02", "09:00"),
        ("next Friday at half past two pm", "2026-12-11", "14:30"),
        ("December 4 at 9", "2026-12-04", "09:00"),
        ("December 4, 2026 at 9 am", "2026-12-04", "09:00"),
        ("the 4th at 14:30", "2026-12-04", "14:30"),
        ("2026-12-04 09:00", "2026-12-04", "09:00"),
        ("2026-12-04T09:00", "2026-12-04", "09:00"),
        ("2026-12-04T09:00:00", "2026-12-04", "09:00"),
        ("2026-12-04T08:00:00Z", "2026-12-04", "09:00"),
        ("2026-12-04T09:00:00+01:00", "2026-12-04", "09:00"),
        ("Thursday, December 3 at 9 am", "2026-12-03", "09:00"),
        ("tomorrow, Wednesday, December 2 at noon", "2026-12-02", "12:00"),
        ("Friday, January 8, 2027 at 4:30 pm", "2027-01-08", "16:30"),
    ],
)
def test_a_day_and_a_time_are_exact(said: str, date: str, clock: str) -> None:
    wish = read(said)
    assert wish.is_exact
    assert (wish.days[0].isoformat(), f"{wish.clocks[0]:%H:%M}") == (date, clock)


def test_this_morning_and_tonight_are_of_today() -> None:
    assert read("this afternoon") == Wish(days("12-01"), after=dt.time(12), before=dt.time(18))
    assert read("tonight") == Wish(days("12-01"), after=dt.time(17), before=dt.time(22))


@pytest.mark.parametrize(
    "said",
    [
        "9999-12-31 09:00", "0001-01-01", "0001-01-01T00:00:00Z", "9999-12-31T23:59:00-12:00", "January 1, 9999",
        "every Friday", "not on Friday", "Fryday", "December 32", "February 30, 2027", "25:00", "13 pm", "9:75",
        "yesterday", "three score", "2026-13-01", "when hell freezes over", "in 5000 days", "29.2.2027",
        "from Friday to Thursday of next year", "Friday, December 3", "Monday 2026-12-01",
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused_as_a_whole(said: str) -> None:
    with pytest.raises(NotUnderstood):
        read(said)


def test_today_is_that_of_the_organization() -> None:
    late = dt.datetime(2026, 12, 1, 23, 30, tzinfo=dt.UTC)
    assert read_wish("today", now=late, zone=BERLIN).days == days("12-02")
    assert read_wish("today", now=late, zone=zoneinfo.ZoneInfo("America/New_York")).days == days("12-01")


def test_a_skipped_and_a_doubled_time_are_no_instants() -> None:
    with pytest.raises(SkippedTime):
        instant(dt.datetime.fromisoformat("2027-03-28T02:30"), BERLIN)
    with pytest.raises(DoubledTime):
        instant(dt.datetime.fromisoformat("2026-10-25T02:30"), BERLIN)
    assert instant(dt.datetime.fromisoformat("2026-10-25T03:00"), BERLIN) == dt.datetime(
        2026, 10, 25, 2, 0, tzinfo=dt.UTC
    )
    skipped = Wish(days("2027-03-28"), (dt.time(2, 30), dt.time(14, 30)))
    assert skipped.instants(BERLIN) == [dt.datetime(2027, 3, 28, 12, 30, tzinfo=dt.UTC)]


SAID = """
next this friday monday week in 2 a two weeks at 9 30 half past to pm am morning december 4 4th the of after before
between and from until or today 2026-12-04 09:00 14:30 : . / @ # first second
"""
WORDS = st.sampled_from(SAID.split())


@settings(max_examples=400, deadline=None)
@given(st.lists(WORDS, max_size=9).map(" ".join) | st.text(max_size=140))
@example("#0")
@example("between #0 and #1")
@example("after # 7 before 9")
def test_whatever_is_said_gives_a_wish_or_is_not_understood(said: str) -> None:
    try:
        wish = read(said)
    except NotUnderstood:
        return
    assert len(wish.days) <= 62
    assert list(wish.days) == sorted(set(wish.days))


@settings(max_examples=200, deadline=None)
@given(st.dates(dt.date(2026, 12, 2), dt.date(2028, 12, 31)), st.integers(0, 23), st.integers(0, 59))
def test_a_time_as_a_tool_writes_it_is_read_as_the_same_time(date: dt.date, hour: int, minute: int) -> None:
    clock = dt.time(hour, minute)
    wish = read(f"{date:%Y-%m-%d} {clock:%H:%M}")
    assert (wish.days, wish.clocks[0]) == ((date,), clock)


def test_a_time_as_a_tool_writes_it_is_not_that_of_the_evening() -> None:
    assert read("2026-12-04 10:00") == Wish(days("12-04"), (dt.time(10),))


@pytest.mark.parametrize("said", ["in -3 days", "in two Fridays", "3 Mondays", "December 4 at 24:00", "half past 24"])
def test_a_number_is_not_taken_for_another_one(said: str) -> None:
    with pytest.raises(NotUnderstood):
        read(said)
