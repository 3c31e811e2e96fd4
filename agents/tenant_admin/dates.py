"""The dates above a list, by one look at the index for each: Django's own query reads every row of the table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from django.db.models import Max, Min, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from .theme import ChangeList

# Django shows the years, or the months of a year, or the days of a month.
MOST_SHOWN = 100


class DatedList(ChangeList):
    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        return with_dates(super().get_queryset(request, exclude_parameters))


def with_dates(found: QuerySet[Any], known: Collection[dt.datetime] | None = None) -> QuerySet[Any]:
    """`known`: the times of all of these rows, where they were read already; there is no query then."""
    # What Django's template tag calls.
    dates = partial(datetimes_of, found) if known is None else partial(_datetimes_of_known, known)
    found.datetimes = dates  # type: ignore[method-assign, assignment]  # of this list's queryset alone
    found.aggregate = partial(_span_of, found, known, found.aggregate)  # type: ignore[method-assign]  # as above
    return found


def _span_of(
    rows: QuerySet[Any],
    known: Collection[dt.datetime] | None,
    aggregate: Callable[..., dict[str, Any]],
    *args: Any,
    **wanted: Any,
) -> dict[str, Any]:
    """The first and the last time, which Django's tag wants: from either end of the index, not from every row."""
    if set(wanted) != {"first", "last"} or not isinstance(wanted["first"], Min) or not isinstance(wanted["last"], Max):
        return aggregate(*args, **wanted)
    if known is not None:
        return {"first": min(known, default=None), "last": max(known, default=None)}
    field = str(getattr(wanted["last"].source_expressions[0], "name"))  # noqa: B009 - of an F, which the stubs forget
    last = _newest(rows, field)
    first = last and rows.order_by(field).values_list(field, flat=True).first()
    return {"first": first, "last": last}


def datetimes_of(rows: QuerySet[Any], field: str, kind: str) -> list[dt.datetime]:
    """When the years, months or days begin that have a row, in the current time zone, the first one first."""
    found: list[dt.datetime] = []
    newest = _newest(rows, field)
    while newest is not None and len(found) < MOST_SHOWN:
        found.append(_beginning(newest, kind))
        newest = _newest(rows.filter(**{f"{field}__lt": found[-1]}), field)
    return found[::-1]


def _datetimes_of_known(times: Collection[dt.datetime], field: str, kind: str) -> list[dt.datetime]:
    """As `datetimes_of` of rows with these times."""
    return sorted({_beginning(each, kind) for each in times})[-MOST_SHOWN:]


def _newest(rows: QuerySet[Any], field: str) -> dt.datetime | None:
    newest: dt.datetime | None = rows.order_by(f"-{field}").values_list(field, flat=True).first()
    return newest


def _beginning(of: dt.datetime, kind: str) -> dt.datetime:
    day = timezone.localtime(of).date()
    if kind != "day":
        day = day.replace(day=1)
    if kind == "year":
        day = day.replace(month=1)
    return timezone.make_aware(dt.datetime.combine(day, dt.time.min))
