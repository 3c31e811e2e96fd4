"""The years, months and days above a list are those that have a row, in the zone of the page."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.db.models import Max, Min
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agents.tenant_admin.dates import MOST_SHOWN, datetimes_of, with_dates
from agents.tests.builders import make_organization
from sessions.calls.models import Call

pytestmark = pytest.mark.django_db


def make_calls(*times: str) -> None:
    organization = make_organization()
    for each in times:
        call = Call.objects.create(organization=organization)
        Call.objects.filter(pk=call.pk).update(created_at=dt.datetime.fromisoformat(each))


@pytest.mark.parametrize("kind", ["year", "month", "day"])
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tokyo"])
def test_they_are_those_that_django_finds(kind: str, zone: str) -> None:
    make_calls(
        "2024-12-31T23:30:00+00:00", "2025-01-01T03:00:00+00:00", "2025-03-30T01:30:00+00:00",
        "2025-03-30T12:00:00+00:00", "2025-10-26T00:30:00+00:00", "2025-10-26T23:59:59.999999+00:00",
    )  # fmt: skip
    with timezone.override(ZoneInfo(zone)):
        expected = list(Call.objects.datetimes("created_at", kind))  # type: ignore[arg-type]  # one of its kinds
        assert datetimes_of(Call.objects.all(), "created_at", kind) == expected
        times = list(Call.objects.values_list("created_at", flat=True))
        with CaptureQueriesContext(connection) as queries:
            known: Any = with_dates(Call.objects.all(), times)
            assert known.datetimes("created_at", kind) == expected
            span = known.aggregate(first=Min("created_at"), last=Max("created_at"))
    assert (len(queries), span) == (0, {"first": min(times), "last": max(times)})


def test_many_rows_of_a_day_cost_two_queries() -> None:
    make_calls(*(f"2025-06-01T12:{minute:02}:00+00:00" for minute in range(30)))
    with CaptureQueriesContext(connection) as queries:
        assert len(datetimes_of(Call.objects.all(), "created_at", "day")) == 1
    assert len(queries) == 2


def test_no_list_has_more_than_can_be_shown() -> None:
    make_calls(*(f"{1900 + year}-06-01T12:00:00+00:00" for year in range(MOST_SHOWN + 5)))
    assert len(datetimes_of(Call.objects.all(), "created_at", "year")) == MOST_SHOWN
    assert datetimes_of(Call.objects.none(), "created_at", "year") == []
