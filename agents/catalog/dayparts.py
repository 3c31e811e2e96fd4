"""When a part of the menu is sold: read from the database, and said."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agents.hours.schedule import Schedule, Span, say_date_and_time, say_time

from .models import DaypartSpan


@dataclass(frozen=True, slots=True)
class Serving:
    """When something is sold. `text`: “daily 7 am to 11 am”."""

    schedule: Schedule
    text: str

    def is_on_at(self, now: dt.datetime) -> bool:
        return self.schedule.is_open_at(now)

    def next_at(self, now: dt.datetime) -> str:
        """“tomorrow at 7 am”; empty if it is not known."""
        begins = self.schedule.next_opening(now)
        return say_date_and_time(begins, now, self.schedule.zone) if begins else ""


def load_servings(daypart_ids: Iterable[int], zone: zoneinfo.ZoneInfo) -> Mapping[int, Serving]:
    """By daypart, in one query; none where there are no ids."""
    wanted = set(daypart_ids)
    spans: defaultdict[int, list[DaypartSpan]] = defaultdict(list)
    if wanted:
        for span in DaypartSpan.objects.filter(daypart__in=wanted):
            spans[span.daypart_id].append(span)
    return {daypart_id: serving_of(rows, zone) for daypart_id, rows in spans.items()}


def serving_of(spans: Iterable[DaypartSpan], zone: zoneinfo.ZoneInfo) -> Serving:
    """Of at least one span."""
    spans = sorted(spans, key=lambda span: (span.begins_at, span.pk or 0))
    weekly: defaultdict[int, tuple[Span, ...]] = defaultdict(tuple)
    for span in spans:
        for weekday in DaypartSpan.Days(span.days).weekdays:
            weekly[weekday] += (Span(span.begins_at, span.ends_at),)
    return Serving(Schedule(zone, dict(weekly)), say_spans(spans))


def say_spans(spans: Iterable[DaypartSpan]) -> str:
    """“daily 7 am to 11 am and 5 pm to 10 pm, Sunday noon to 3 pm”."""
    said: defaultdict[str, list[str]] = defaultdict(list)
    for span in spans:
        days = DaypartSpan.Days(span.days).label.replace("Daily", "daily")
        said[days].append(f"{say_time(span.begins_at)} to {say_time(span.ends_at)}")
    return ", ".join(f"{days} {' and '.join(times)}" for days, times in said.items())
