"""What callers say of days and times in German. Today is Tuesday, December 1, 2026, 10:00 in Berlin."""

from __future__ import annotations

import datetime as dt
import zoneinfo

import pytest

from sessions.appointments.wishes import NotUnderstood, Wish, read_wish

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
NOW = dt.datetime(2026, 12, 1, 9, 0, tzinfo=dt.UTC)


def read(text: str) -> Wish:
    return read_wish(text, now=NOW, zone=BERLIN)


def days(*dates: str) -> tuple[dt.date, ...]:
    return tuple(map(dt.date.fromisoformat, dates))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("heute", "2026-12-01"),
        ("morgen", "2026-12-02"),
        ("übermorgen", "2026-12-03"),
        ("uebermorgen, bitte", "2026-12-03"),
        ("am Freitag", "2026-12-04"),
        ("kommenden Freitag", "2026-12-04"),
        ("nächsten Freitag", "2026-12-11"),
        ("nächste Woche Mittwoch", "2026-12-09"),
        ("übernächsten Freitag", "2026-12-18"),
        ("in einer Woche", "2026-12-08"),
        ("in zwei Wochen", "2026-12-15"),
        ("in 14 Tagen", "2026-12-15"),
        ("in acht Tagen", "2026-12-09"),
        ("am vierten Dezember", "2026-12-04"),
        ("am 4. Dezember", "2026-12-04"),
        ("am einundzwanzigsten Dezember", "2026-12-21"),
        ("Freitag, den 4. Dezember", "2026-12-04"),
        ("4.12.", "2026-12-04"),
        ("am 4.", "2026-12-04"),
        ("am ersten Mai", "2027-05-01"),
    ],
)
def test_the_day(said: str, expected: str) -> None:
    assert read(said).days == days(expected)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("um neun", ["09:00", "21:00"]),
        ("um 14 Uhr", ["14:00"]),
        ("vierzehn Uhr dreißig", ["14:30"]),
        ("neun Uhr fünf", ["09:05", "21:05"]),
        ("9.30 Uhr", ["09:30", "21:30"]),
        ("halb zehn", ["09:30", "21:30"]),
        ("halb eins", ["12:30"]),
        ("Viertel nach neun", ["09:15", "21:15"]),
        ("Viertel vor zehn", ["09:45", "21:45"]),
        ("zehn vor neun", ["08:50", "20:50"]),
        ("um 10 Uhr vormittags", ["10:00"]),
        ("heute Abend um sieben", ["19:00"]),
        ("Mitternacht", ["00:00"]),
    ],
)
def test_the_time(said: str, expected: list[str]) -> None:
    assert [f"{clock:%H:%M}" for clock in read(said).clocks] == expected


@pytest.mark.parametrize(
    ("said", "date", "after", "before"),
    [
        ("Freitagnachmittag", "2026-12-04", "12:00", "18:00"),
        ("Freitag Morgen", "2026-12-04", "05:00", "12:00"),
        ("morgen früh", "2026-12-02", "05:00", "12:00"),
        ("heute nachmittag", "2026-12-01", "12:00", "18:00"),
        ("morgen zwischen 9 und 11 Uhr", "2026-12-02", "09:00", "11:00"),
        ("am Freitag nach 15 Uhr", "2026-12-04", "15:00", "23:59"),
    ],
)
def test_the_part_of_the_day(said: str, date: str, after: str, before: str) -> None:
    wish = read(said)
    assert (wish.days, wish.clocks) == (days(date), ())
    assert (f"{wish.after:%H:%M}", f"{wish.before:%H:%M}") == (after, before)


def test_as_soon_as_possible_is_any_time() -> None:
    assert read("so bald wie möglich") == Wish()


@pytest.mark.parametrize("said", ["nicht am Freitag", "jeden Freitag", "gestern", "um 25 Uhr", "am 31. Februar 2027"])
def test_what_is_not_understood_is_refused_as_a_whole(said: str) -> None:
    with pytest.raises(NotUnderstood):
        read(said)
