"""When somebody is busy: zones, whole days, repetitions with exceptions, and text that is meant to hurt."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from zoneinfo import ZoneInfo

import pytest

from voiceapp.core.ical.reading import Unreadable, read_busy, read_event

BERLIN = ZoneInfo("Europe/Berlin")
UTC = dt.UTC


def event(*lines: str, around: tuple[str, ...] = ()) -> bytes:
    return calendar("BEGIN:VEVENT", "UID:one", "DTSTAMP:20260101T000000Z", *lines, "END:VEVENT", *around)


def calendar(*lines: str) -> bytes:
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//", *lines, "END:VCALENDAR", ""]).encode()


def busy(
    text: bytes,
    begins_at: dt.datetime = dt.datetime(2026, 1, 1, tzinfo=UTC),
    ends_at: dt.datetime = dt.datetime(2027, 1, 1, tzinfo=UTC),
) -> list[tuple[str, str]]:
    found = read_busy(text, zone=BERLIN, begins_at=begins_at, ends_at=ends_at)
    return sorted((f"{each.starts_at:%m-%d %H:%M}", f"{each.ends_at:%m-%d %H:%M}") for each in found)


def test_an_event_with_a_zone_is_read_in_that_zone() -> None:
    text = event("DTSTART;TZID=America/New_York:20260702T090000", "DTEND;TZID=America/New_York:20260702T100000")
    assert busy(text) == [("07-02 13:00", "07-02 14:00")]


def test_a_time_without_a_zone_is_the_organizations() -> None:
    assert busy(event("DTSTART:20260702T090000", "DTEND:20260702T100000")) == [("07-02 07:00", "07-02 08:00")]


def test_windows_names_of_zones_are_understood() -> None:
    text = event("DTSTART;TZID=W. Europe Standard Time:20260702T090000", "DURATION:PT30M")
    assert busy(text) == [("07-02 07:00", "07-02 07:30")]


def test_a_whole_day_is_the_organizations_day() -> None:
    text = event("DTSTART;VALUE=DATE:20260329", "DTEND;VALUE=DATE:20260330")
    # 23 hours: summer time begins.
    assert busy(text) == [("03-28 23:00", "03-29 22:00")]


def test_a_date_alone_takes_the_day() -> None:
    assert busy(event("DTSTART;VALUE=DATE:20260702")) == [("07-01 22:00", "07-02 22:00")]


@pytest.mark.parametrize(
    "line", ["TRANSP:TRANSPARENT", "STATUS:CANCELLED", "status:cancelled"], ids=["free", "canceled", "lower case"]
)
def test_what_takes_no_time_is_left_out(line: str) -> None:
    assert busy(event("DTSTART:20260702T090000Z", "DTEND:20260702T100000Z", line)) == []


def test_a_reminder_without_length_takes_no_time() -> None:
    assert busy(event("DTSTART:20260702T090000Z")) == []


def test_a_tentative_event_counts() -> None:
    assert busy(event("DTSTART:20260702T090000Z", "DURATION:PT1H", "STATUS:TENTATIVE")) != []


def test_a_weekly_event_stays_at_its_hour_when_the_clocks_change() -> None:
    text = event(
        "DTSTART;TZID=Europe/Berlin:20261020T090000", "DTEND;TZID=Europe/Berlin:20261020T100000",
        "RRULE:FREQ=WEEKLY;BYDAY=TU;COUNT=2",
    )  # fmt: skip
    assert busy(text) == [("10-20 07:00", "10-20 08:00"), ("10-27 08:00", "10-27 09:00")]


def test_exceptions_move_and_remove_single_days() -> None:
    text = calendar(
        "BEGIN:VEVENT", "UID:one", "DTSTART:20260706T090000Z", "DTEND:20260706T100000Z", "RRULE:FREQ=DAILY;COUNT=4",
        "EXDATE:20260707T090000Z", "END:VEVENT",
        "BEGIN:VEVENT", "UID:one", "RECURRENCE-ID:20260708T090000Z", "DTSTART:20260708T150000Z",
        "DTEND:20260708T160000Z", "END:VEVENT",
        "BEGIN:VEVENT", "UID:one", "RECURRENCE-ID:20260709T090000Z", "DTSTART:20260709T090000Z",
        "DTEND:20260709T100000Z", "STATUS:CANCELLED", "END:VEVENT",
    )  # fmt: skip
    assert busy(text) == [("07-06 09:00", "07-06 10:00"), ("07-08 15:00", "07-08 16:00")]


def test_only_the_range_is_read() -> None:
    text = event("DTSTART:20200101T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY")
    begins_at = dt.datetime(2026, 7, 1, 9, 30, tzinfo=UTC)
    assert busy(text, begins_at, begins_at + dt.timedelta(days=1)) == [
        ("07-01 09:00", "07-01 10:00"),
        ("07-02 09:00", "07-02 10:00"),
    ]


def test_an_event_with_a_zone_of_its_own_is_read_by_its_rules() -> None:
    text = calendar(
        "BEGIN:VTIMEZONE", "TZID:Workshop", "BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETFROM:+0300",
        "TZOFFSETTO:+0300", "END:STANDARD", "END:VTIMEZONE",
        "BEGIN:VEVENT", "UID:one", "DTSTART;TZID=Workshop:20260702T090000", "DURATION:PT1H", "END:VEVENT",
    )  # fmt: skip
    assert busy(text) == [("07-02 06:00", "07-02 07:00")]


def zone_of(*lines: str) -> bytes:
    """An event in a zone of its own with two changes of clocks, each of which has these lines."""
    changes = [
        line
        for kind, start, before, after in (("STANDARD", 1, "+0200", "+0100"), ("DAYLIGHT", 2, "+0100", "+0200"))
        for line in (f"BEGIN:{kind}", f"DTSTART:1970010{start}T000000", f"TZOFFSETFROM:{before}", f"TZOFFSETTO:{after}",
                     *lines, f"END:{kind}")
    ]  # fmt: skip
    return calendar(
        "BEGIN:VTIMEZONE", "TZID:Own", *changes, "END:VTIMEZONE",
        "BEGIN:VEVENT", "UID:one", "DTSTART;TZID=Own:20260702T090000", "DTEND;TZID=Own:20260702T100000", "END:VEVENT",
    )  # fmt: skip


def test_a_zone_whose_clocks_change_once_a_year_is_read() -> None:
    assert busy(zone_of("RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU")) != []


def test_the_zone_of_one_object_is_not_that_of_the_next_one_with_its_name() -> None:
    with pytest.raises(Unreadable):
        busy(zone_of("RRULE:FREQ=SECONDLY"))
    rule = "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU"
    other = zone_of(rule).replace(b"+0100", b"+0500").replace(b"+0200", b"+0600")
    hours = [int(start[6:8]) for text in (zone_of(rule), other) for start, _ in busy(text)]
    assert hours[0] - hours[1] == 4


@pytest.mark.parametrize(
    "lines",
    [
        ["RRULE:FREQ=SECONDLY"],
        ["RRULE:FREQ=HOURLY"],
        ["RRULE:FREQ=DAILY"],
        ["RRULE:FREQ=YEARLY;BYHOUR=1,2;BYMINUTE=1,2;BYSECOND=1,2"],
        ["RRULE:FREQ=YEARLY", "RRULE:FREQ=YEARLY;BYMONTH=3"],
        ["RDATE:" + ",".join(f"2026{m:02}01T00{n:02}00" for m in range(1, 13) for n in range(60))] * 3,
    ],
    ids=["seconds", "hours", "days", "every second of a day", "two rules", "dates"],
)
def test_a_zone_that_takes_long_to_calculate_is_refused_before(lines: list[str]) -> None:
    text = zone_of(*lines)
    with pytest.raises(Unreadable):
        busy(text)
    with pytest.raises(Unreadable):
        read_event(text, zone=BERLIN)


HOSTILE = {
    "seconds": ("DTSTART:20260101T000000Z", "DURATION:PT1S", "RRULE:FREQ=SECONDLY"),
    "minutes": ("DTSTART:19700101T000000Z", "DURATION:PT1M", "RRULE:FREQ=MINUTELY;INTERVAL=1"),
    "hours": ("DTSTART:19700101T000000Z", "DURATION:PT1M", "RRULE:FREQ=HOURLY"),
    "every second of a day": ("DTSTART:20260101T000000Z", "RRULE:FREQ=DAILY;BYSECOND=1,2,3;BYMINUTE=1,2;BYHOUR=1"),
    "never, by days": ("DTSTART:20260101T000000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"),
    "never, by sets": ("DTSTART:20260101T000000Z", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;BYDAY=MO;BYSETPOS=9"),
    "no progress": ("DTSTART:20260101T000000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;INTERVAL=0"),
    "two rules": ("DTSTART:20260101T000000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY", "RRULE:FREQ=WEEKLY"),
    "years ago": ("DTSTART:00010101T000000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY"),
    "dates": ("DTSTART:20260101T000000Z", "RDATE:" + ",".join(f"2026{m:02}01T00{n:02}{s:02}Z" for m in range(1, 13)
              for n in range(60) for s in (0, 15, 30, 45))),
    "no start": ("DURATION:PT1H",),
    "an impossible date": ("DTSTART:20261399T000000Z", "DURATION:PT1H"),
    "a rule that is none": ("DTSTART:20260101T000000Z", "RRULE:FREQ=SOMETIMES"),
    "a number that is none": ("DTSTART:20260101T000000Z", "RRULE:FREQ=DAILY;INTERVAL=x"),
    "an end before the days of the calendar": ("DTSTART:20260101T000000Z", "DURATION:P999999999D"),
    "an end without a zone": ("DTSTART:20260101T000000Z", "DTEND;VALUE=DATE:20260102", "RRULE:FREQ=DAILY"),
}  # fmt: skip


@pytest.mark.parametrize("lines", HOSTILE.values(), ids=HOSTILE)
def test_what_would_take_long_or_is_no_event_is_refused_at_once(lines: tuple[str, ...]) -> None:
    began, found = time.process_time(), []
    with contextlib.suppress(Unreadable):
        found = busy(event(*lines))
    assert len(found) < 400
    assert time.process_time() - began < 1


def test_what_is_wrong_is_said_without_the_text() -> None:
    with pytest.raises(Unreadable) as caught:
        busy(event("DTSTART:20261399T000000Z", "SUMMARY:Doctor Miller"))
    assert str(caught.value) == "not a valid event (BrokenCalendarProperty)"


@pytest.mark.parametrize("rule", ["FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=MONTHLY;BYMONTHDAY=1;BYSETPOS=9"])
def test_a_rare_rule_that_never_comes_true_is_calculated_in_a_moment(rule: str) -> None:
    began = time.process_time()
    text = event("DTSTART:20260101T000000Z", "DURATION:PT1H", f"RRULE:{rule}")
    assert len(busy(text)) <= 1
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    "text",
    [b"", b"\x00\xff", b"<html></html>", b"BEGIN:VCALENDAR", b"BEGIN:VEVENT\r\nUID:x\r\nEND:VEVENT\r\n",
     b"BEGIN:VCALENDAR\r\n" * 2000, b"END:VCALENDAR\r\n", b"/etc/passwd"],
)  # fmt: skip
def test_garbage_is_unreadable_or_nothing(text: bytes) -> None:
    with contextlib.suppress(Unreadable):
        assert busy(text) == []


def test_our_own_event_is_read_back() -> None:
    text = event("DTSTART:20260702T090000Z", "DTEND:20260702T100000Z", "SUMMARY:Oil change\\, Miller")
    found = read_event(text, zone=BERLIN)
    assert (found.uid, found.summary, found.is_untouched) == ("one", "Oil change, Miller", False)
    assert found.starts_at == dt.datetime(2026, 7, 2, 9, tzinfo=UTC)


def test_an_object_without_an_event_is_unreadable() -> None:
    with pytest.raises(Unreadable):
        read_event(calendar("BEGIN:VTODO", "UID:x", "END:VTODO"), zone=BERLIN)
