"""Keeps the table of figures as the calls are: a day is always counted anew as a whole, never changed by a difference.

So a change that is noted twice, a worker that is killed or a cost that comes late cannot count twice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from django.db import transaction
from django.db.models import Exists, Max, Min, OuterRef, Q, QuerySet
from django.utils import timezone

from agents.organizations.models import Organization
from sessions.appointments.models import Appointment
from sessions.calls.models import Call
from sessions.messages.texts.models import Text
from sessions.orders.models import Order

from .changes import DayChange, note_day_change, recounts
from .counting import Counting, Key, Rows
from .figures import COUNTS, Figures
from .models import RESPONSES, CountedDay, DayFigures, DayTopics

logger = structlog.get_logger("analytics")

MOST_TRIES = 5
# Days that are counted again every day, whatever was noted: a change that nobody noted is seen by then.
COUNTED_AGAIN = dt.timedelta(days=8)
ONE_DAY = dt.timedelta(days=1)


class CountedMeanwhile(Exception):
    """Others counted the same day at the same time, several times."""


def register() -> None:
    """The handlers of the queue."""
    recounts.register(DayChange.Topic.DAY, recount)
    recounts.register(DayChange.Topic.CALL, note_days_of_call)


def recount(change: DayChange) -> None:
    organization = change.organization
    assert change.at is not None
    count_day(organization, change.at.astimezone(organization.zone).date())


def note_days_of_call(change: DayChange) -> None:
    with transaction.atomic():
        call = Call.objects.filter(pk=change.call_id).first() if change.call_id else None
        if call is not None:
            note_day_change(change.organization_id, *times_of(call))
        DayChange.objects.filter(pk=change.pk).delete()


def times_of(call: Call) -> list[dt.datetime | None]:
    """Of the days on which it, or what it made, is counted."""
    made: QuerySet[Any] = Order.objects.filter(call=call).order_by().values_list("created_at", flat=True)
    booked = Appointment.objects.filter(call=call).order_by().values_list("created_at", flat=True)
    sent = Text.objects.filter(call=call).order_by().values_list("sent_at", flat=True)
    return [call.created_at, *made, *booked, *sent]


def count_day(organization: Organization, day: dt.date) -> None:
    """Replace the figures of the day by what is true now, and delete the changes that this has worked off.

    Nothing is locked while calls are counted: who wrote the day meanwhile has counted later, and so it is counted once
    more.
    """
    zone = organization.zone
    for _ in range(MOST_TRIES):
        counted, _is_new = CountedDay.objects.get_or_create(organization=organization, day=day)
        # Before anything is read: what changes from here on is counted again.
        changes = DayChange.objects.filter(organization=organization, at__range=_bounds(day, zone))
        noted = list(changes.values_list("pk", flat=True))
        counting = Counting(rows_of_day(organization.pk, day, zone), {organization.pk: zone})
        counting.run()
        if _write(counted, organization, counting, noted):
            return
    raise CountedMeanwhile(f"{organization.slug} {day}")


def _write(counted: CountedDay, organization: Organization, counting: Counting, noted: Collection[int]) -> bool:
    with transaction.atomic():
        is_ours = CountedDay.objects.filter(pk=counted.pk, version=counted.version).update(
            version=counted.version + 1, time_zone=organization.time_zone, counted_at=timezone.now()
        )
        if not is_ours:
            return False
        DayFigures.objects.filter(organization=organization, day=counted.day).delete()
        DayFigures.objects.bulk_create(row for key, figures in counting.found.items() for row in _rows(key, figures))
        DayTopics.objects.filter(organization=organization, day=counted.day).delete()
        DayTopics.objects.bulk_create(DayTopics(**key._asdict(), calls=calls) for key, calls in counting.topics.items())
        DayChange.objects.filter(pk__in=noted).delete()
    return True


def _rows(key: Key, figures: Figures) -> Iterator[DayFigures]:
    values: dict[str, Any] = {name: getattr(figures, name) for name in (*COUNTS, "cost_usd")}
    values |= dict(zip(RESPONSES, figures.responses, strict=True))
    for currency, total in sorted(figures.revenue.items()) or [("", Decimal(0))]:
        yield DayFigures(**key._asdict(), currency=currency, revenue=total, **values)
        values = {}


def rows_of_day(organization_id: UUID, day: dt.date, zone: ZoneInfo) -> Rows:
    first, last = _bounds(day, zone)

    def rows(column: str, *, of: str = "") -> Q:
        return Q(**{f"{of}organization_id": organization_id, f"{of}{column}__range": (first, last)})

    return rows


def _bounds(day: dt.date, zone: ZoneInfo) -> tuple[dt.datetime, dt.datetime]:
    """The first and the last microsecond of the day; it may have 23 or 25 hours."""
    first, after = (dt.datetime.combine(each, dt.time(0), zone) for each in (day, day + ONE_DAY))
    return first.astimezone(dt.UTC), after.astimezone(dt.UTC) - dt.timedelta(microseconds=1)


def rebuild(organization: Organization) -> Iterator[dt.date]:
    """Count each day of the organization anew. Safe to repeat and to end at any time; calls may go on meanwhile."""
    for day in days_of(organization):
        count_day(organization, day)
        yield day


def note_all_days(organization: Organization) -> None:
    """Have a worker count them: at noon each is the same day in every zone near by."""
    noon = dt.time(12)
    days = days_of(organization)
    note_day_change(organization.pk, *(dt.datetime.combine(day, noon, organization.zone) for day in days))


def days_of(organization: Organization) -> list[dt.date]:
    """From the first call, order, appointment or text to the last, and those whose figures are in the table."""
    counted = CountedDay.objects.filter(organization=organization).values_list("day", flat=True)
    days = set(counted)
    times = [each for rows, column in _timed(organization) for each in _ends(rows, column) if each is not None]
    if times:
        first, last = (end(times).astimezone(organization.zone).date() for end in (min, max))
        days |= {first + dt.timedelta(days=number) for number in range((last - first).days + 1)}
    return sorted(days)


def _timed(organization: Organization) -> Iterator[tuple[QuerySet[Any], str]]:
    for model in (Call, Order, Appointment):
        yield model._default_manager.filter(organization=organization), "created_at"
    yield Text.objects.filter(organization=organization), "sent_at"


def _ends(rows: QuerySet[Any], column: str) -> tuple[dt.datetime | None, dt.datetime | None]:
    found = rows.order_by().aggregate(first=Min(column), last=Max(column))
    return found["first"], found["last"]


def keep_counted() -> int:
    """Every hour: organizations that were never counted, or moved to another zone; recent days; what failed.

    Returns how many days are to be counted.
    """
    before = DayChange.objects.count()
    of_call = Call.objects.filter(organization=OuterRef("pk"))
    counted = CountedDay.objects.filter(organization=OuterRef("pk"))
    moved = counted.exclude(time_zone=OuterRef("time_zone")).exclude(time_zone="")
    for organization in Organization.objects.filter(Exists(moved) | Exists(of_call) & ~Exists(counted)):
        note_all_days(organization)
    now = timezone.now()
    recent = CountedDay.objects.filter(day__gte=(now - COUNTED_AGAIN).date(), counted_at__lt=now - ONE_DAY)
    for each in recent.select_related("organization"):
        note_day_change(each.organization_id, dt.datetime.combine(each.day, dt.time(12), each.organization.zone))
    recounts.retry(DayChange.objects.filter(state=DayChange.State.FAILED))
    return DayChange.objects.count() - before
