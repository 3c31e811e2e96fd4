"""Opening hours of organizations and transfer targets, read from the database."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping

from agents.organizations.models import Organization
from agents.transfers.models import TransferTarget

from .models import WeeklyHours
from .schedule import Schedule, Span, hours_sentence, say_date_and_time


def load_schedule(organization: Organization) -> Schedule:
    """When the organization answers calls: without weekly hours always, except on special days."""
    special = {
        day.date: None if day.opens_at is None or day.closes_at is None else Span(day.opens_at, day.closes_at)
        for day in organization.special_days.all()
    }
    return Schedule(organization.zone, weekly_spans(organization.opening_hours.all()), special)


def is_open(organization: Organization, now: dt.datetime) -> bool:
    """Whether calls are answered at that time."""
    return load_schedule(organization).is_open_at(now)


def opening_hours_sentence(organization: Organization, now: dt.datetime) -> str:
    """The agent's sentence about the opening hours."""
    return hours_sentence(load_schedule(organization), now)


def target_schedule(target: TransferTarget, of_organization: Schedule) -> Schedule:
    """When the target may be rung: its own weekly hours, or those of its organization if it has none.

    The organization's special days close and shorten its own hours, too, unless it also takes calls on them.
    """
    weekly = weekly_spans(target.hours.all())
    if not weekly:
        return of_organization
    limits = {} if target.takes_calls_on_special_days else of_organization.special
    return Schedule(of_organization.zone, weekly, limits=limits)


def target_hours_sentence(target: TransferTarget, schedule: Schedule, now: dt.datetime) -> str:
    """“Front desk is not there now, but again tomorrow at 11 am.”"""
    opening = schedule.next_opening(now)
    again = f", but again {say_date_and_time(opening, now, schedule.zone)}" if opening else ""
    return f"{target.name} is not there now{again}."


def weekly_spans(rows: Iterable[WeeklyHours]) -> Mapping[int, tuple[Span, ...]]:
    """The spans of rows by weekday."""
    weekly: defaultdict[int, tuple[Span, ...]] = defaultdict(tuple)
    for row in rows:
        weekly[row.weekday] += (Span(row.opens_at, row.closes_at),)
    return dict(weekly)
