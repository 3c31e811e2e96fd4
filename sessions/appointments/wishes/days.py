"""The days of a wish: dates, weekdays, and what is relative to today."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from .words import MONTHS, WEEKDAYS

ONE_DAY = dt.timedelta(days=1)
# “From Thursday on”, “after the 3rd”.
OPEN_DAYS = 14
MOST_DAYS = 62
MOST_COUNT = 400
# Others are slips, and days beside them may not exist.
YEARS = range(1900, 2200)
WEEKDAY = rf"(?:{'|'.join(sorted(WEEKDAYS, key=len, reverse=True))})"
MONTH = rf"(?:{'|'.join(sorted(MONTHS, key=len, reverse=True))})"
NUMBER = r"(?:an?|\d{1,3})"
WEEK = rf"(?:(?:the )?week after next|next week|this week|in {NUMBER} weeks?|{NUMBER} weeks? from (?:now|today))"
DAY_NUMBER = r"(\d{1,2})(?:st|nd|rd|th)?"
YEAR = r"(?: (\d{4}))?"
# “Friday, December 4”: the weekday says nothing more, unless it contradicts.
NAMED = rf"(?:\b(?P<named>{WEEKDAY}) (?:the )?)?"
MARK = "@"


@dataclass(frozen=True, slots=True)
class Days:
    """`rest` is the text without them; `part` the part of today that was named with it (“this morning”)."""

    days: tuple[dt.date, ...]
    rest: str
    part: str = ""


@dataclass
class DayReader:
    """Replaces each date by a mark, then reads what stands between the marks. Raises ValueError for February 30."""

    text: str
    today: dt.date
    is_month_first: bool = False
    found: list[tuple[dt.date, ...]] = field(default_factory=list)
    part: str = ""

    def read(self) -> Days:
        for pattern, method in PATTERNS:
            self.text = pattern.sub(partial(self._marked, method), self.text)
        self._relate()
        days = tuple(sorted({day for group in self.found for day in group}))
        if len(days) > MOST_DAYS:
            raise ValueError("too many days")
        return Days(days, re.sub(rf"{MARK}\d+", " ", self.text), self.part)

    def _marked(self, method: Method, match: re.Match[str]) -> str:
        days, weekday = method(self, match), match.groupdict().get("named")
        if weekday and days[0].weekday() != WEEKDAYS[weekday]:
            raise ValueError("the date is another weekday")
        if any(day.year not in YEARS for day in days):
            raise ValueError("no such year")
        self.found.append(days)
        return f" {MARK}{len(self.found) - 1} "

    def _relate(self) -> None:
        """“between @0 and @1”, “from @0 to @1”, “after @0”, “by @0”."""
        self.text = " ".join(self.text.split())
        for match in re.finditer(rf"{MARK}(\d+) (?:to|until|till|through|and|-) {MARK}(\d+)", self.text):
            if match[0].split()[1] != "and" or "between" in self.text[: match.start()].split()[-1:]:
                self._fill(int(match[1]), int(match[2]))
        self.text = re.sub(rf"\b(?:between|from) (?={MARK}\d+ (?:to|until|till|through|and|-) {MARK})", "", self.text)
        self.text = re.sub(rf"({MARK}\d+) (?:to|until|till|through|and|-) (?={MARK})", r"\1 ", self.text)
        self.text = re.sub(rf"\b(after|from|starting|by|before|until) {MARK}(\d+)(?: on(?:wards?)?\b)?", self._open,
                           self.text)  # fmt: skip

    def _fill(self, first: int, last: int) -> None:
        start, end = self.found[first][0], self.found[last][-1]
        if not 0 <= (end - start).days < MOST_DAYS:
            raise ValueError("no such range")
        self.found[first] = _days(start, (end - start).days + 1)

    def _open(self, match: re.Match[str]) -> str:
        word, number = match[1], int(match[2])
        group = self.found[number]
        if word in ("after", "from", "starting"):
            self.found[number] = _days(group[-1] + ONE_DAY if word == "after" else group[0], OPEN_DAYS)
        else:
            last = group[-1] - ONE_DAY if word == "before" else group[-1]
            count = (last - self.today).days + 1
            if not 0 < count <= MOST_DAYS:
                raise ValueError("no such range")
            self.found[number] = _days(self.today, count)
        return f"{MARK}{number}"

    # What a pattern stands for

    def _iso(self, match: re.Match[str]) -> tuple[dt.date, ...]:
        return (dt.date(int(match[2]), int(match[3]), int(match[4])),)

    def _numeric(self, match: re.Match[str]) -> tuple[dt.date, ...]:
        first, second = int(match[1]), int(match[3])
        month, day = (first, second) if self.is_month_first and match[2] == "/" else (second, first)
        year = int(match[4]) if match[4] else 0
        return (self._date(month, day, year + 2000 if 0 < year < 100 else year),)

    def _day_month(self, match: re.Match[str]) -> tuple[dt.date, ...]:
        return (self._date(MONTHS[match[3]], int(match[2]), int(match[4] or 0)),)

    def _month_day(self, match: re.Match[str]) -> tuple[dt.date, ...]:
        return (self._date(MONTHS[match[2]], int(match[3]), int(match[4] or 0)),)

    def _of_month(self, match: re.Match[str]) -> tuple[dt.date, ...]:
        month = MONTHS[match[1]]
        return self._month(self.today.year + (month < self.today.month), month)

    def _relative_month(self, match: re.Match[str]) -> tuple[dt.date, ...]:
        later = self.today.month - 1 + (match[1] == "next")
        return self._month(self.today.year + later // 12, later % 12 + 1)

    def _day_of_month(self, match: re.Match[str]) -> tuple[dt.date, ...]:
        """“the 3rd”: the next one."""
        day, month, year = int(match[2]), self.today.month, self.today.year
        for _ in range(12):
            if day <= calendar.monthrange(year, month)[1] and dt.date(year, month, day) >= self.today:
                return (dt.date(year, month, day),)
            year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        raise ValueError("no such day")

    def _weekday_of_week(self, match: re.Match[str]) -> tuple[dt.date, ...]:
        return (self._monday(match["week"]) + WEEKDAYS[match["weekday"]] * ONE_DAY,)

    def _weeks_after_weekday(self, match: re.Match[str]) -> tuple[dt.date, ...]:
        return (self._coming(WEEKDAYS[match[2]]) + 7 * _count(match[1]) * ONE_DAY,)

    def _in_weeks(self, match: re.Match[str]) -> tuple[dt.date, ...]:
        return (self.today + 7 * _count(match[1]) * ONE_DAY,)

    def _in_days(self, match: re.Match[str]) -> tuple[dt.date, ...]:
        return (self.today + _count(match[1]) * ONE_DAY,)

    def _in_months(self, match: re.Match[str]) -> tuple[dt.date, ...]:
        later = self.today.month - 1 + _count(match[1])
        year, month = self.today.year + later // 12, later % 12 + 1
        return (dt.date(year, month, min(self.today.day, calendar.monthrange(year, month)[1])),)

    def _week(self, match: re.Match[str]) -> tuple[dt.date, ...]:
        monday = self._monday(match[0].strip())
        return tuple(day for day in _days(monday, 7) if day >= self.today)

    def _weekend(self, match: re.Match[str]) -> tuple[dt.date, ...]:
        saturday = self._monday("next week" if match[1] == "next" else "this week") + 5 * ONE_DAY
        return tuple(day for day in _days(saturday, 2) if day >= self.today)

    def _weekday(self, match: re.Match[str]) -> tuple[dt.date, ...]:
        """“Friday” is the next one after today, “this Friday” may be today, “next Friday” is in the next week."""
        number = WEEKDAYS[match[2]]
        if match[1] == "next":
            return (self._monday("next week") + number * ONE_DAY,)
        if match[1] == "this" and number == self.today.weekday():
            return (self.today,)
        return (self._coming(number),)

    def _near(self, match: re.Match[str]) -> tuple[dt.date, ...]:
        ahead = {"day after tomorrow": 2, "tomorrow": 1}.get(match[0].removeprefix("the "), 0)
        if match[0] == "tonight":
            self.part = "evening"
        return (self.today + ahead * ONE_DAY,)

    def _this_part(self, match: re.Match[str]) -> tuple[dt.date, ...]:
        self.part = match[1]
        return (self.today,)

    def _coming(self, weekday: int) -> dt.date:
        return self.today + ((weekday - self.today.weekday() - 1) % 7 + 1) * ONE_DAY

    def _monday(self, week: str) -> dt.date:
        monday = self.today - self.today.weekday() * ONE_DAY
        if week == "this week":
            return monday
        if week == "next week":
            return monday + 7 * ONE_DAY
        if week.endswith("after next"):
            return monday + 14 * ONE_DAY
        number = re.search(NUMBER, week.removeprefix("in "))
        return monday + 7 * _count(number[0] if number else "1") * ONE_DAY

    def _month(self, year: int, month: int) -> tuple[dt.date, ...]:
        days = _days(dt.date(year, month, 1), calendar.monthrange(year, month)[1])
        return tuple(day for day in days if day >= self.today)

    def _date(self, month: int, day: int, year: int) -> dt.date:
        """Without a year the next such date."""
        if year:
            return dt.date(year, month, day)
        for candidate in range(self.today.year, self.today.year + 9):
            if not 1 <= month <= 12 or not 1 <= day <= 31:
                break
            if day <= calendar.monthrange(candidate, month)[1]:
                date = dt.date(candidate, month, day)
                if date >= self.today:
                    return date
        raise ValueError("no such date")


def _count(number: str) -> int:
    count = 1 if number in ("a", "an") else int(number)
    if count > MOST_COUNT:
        raise ValueError("too far")
    return count


def _days(first: dt.date, count: int) -> tuple[dt.date, ...]:
    return tuple(first + number * ONE_DAY for number in range(count))


Method = Callable[[DayReader, re.Match[str]], tuple[dt.date, ...]]

# Longer forms first: what one has replaced, no other finds.
PATTERNS: tuple[tuple[re.Pattern[str], Method], ...] = tuple(
    (re.compile(pattern), method)
    for pattern, method in (
        (rf"{NAMED}\b(\d{{4}})-(\d{{1,2}})-(\d{{1,2}})(?:t(?=\d))?", DayReader._iso),
        (rf"{NAMED}\b{DAY_NUMBER} (?:of )?({MONTH})\b\.?{YEAR}\b", DayReader._day_month),
        (rf"{NAMED}\b({MONTH})\b\.? (?:the )?{DAY_NUMBER}\b(?!:\d|\.\d| ?[ap]m\b){YEAR}", DayReader._month_day),
        (r"\b(\d{1,2})(/)(\d{1,2})(?:/(\d{4}|\d{2}))?\b", DayReader._numeric),
        (r"\b(\d{1,2})(\.) ?(\d{1,2})\.(?: ?(\d{4}|\d{2}))?(?!\d)", DayReader._numeric),
        (rf"{NAMED}\b(?:on )?(?:the )?(\d{{1,2}})(?:st|nd|rd|th)\b", DayReader._day_of_month),
        (rf"\b(?P<weekday>{WEEKDAY}) (?:(?:of|in) )?(?P<week>{WEEK})\b", DayReader._weekday_of_week),
        (rf"\b(?P<week>{WEEK}) (?:on )?(?P<weekday>{WEEKDAY})\b", DayReader._weekday_of_week),
        (rf"\b({NUMBER}) weeks? (?:from|after) (?:this |next )?({WEEKDAY})\b", DayReader._weeks_after_weekday),
        (rf"\b(?:in )?({NUMBER}) weeks?(?: from (?:now|today)| ?time)?\b", DayReader._in_weeks),
        (rf"\b(?:in )?({NUMBER}) days?(?: from (?:now|today)|'? ?time)?\b", DayReader._in_days),
        (rf"\bin ({NUMBER}) months?\b", DayReader._in_months),
        (rf"\b{WEEK}\b", DayReader._week),
        (r"\b(?:(this|next|the|on the) )?weekend\b", DayReader._weekend),
        (r"\b(this|next) month\b", DayReader._relative_month),
        (rf"\b(?:(this|next|coming|this coming|on) )?({WEEKDAY})s?\b", DayReader._weekday),
        (r"\b(?:the )?day after tomorrow\b|\btomorrow\b|\btoday\b|\btonight\b", DayReader._near),
        (r"\bthis (morning|forenoon|afternoon|evening)\b", DayReader._this_part),
        (rf"\b(?:in |during )({MONTH})\b", DayReader._of_month),
    )
)
