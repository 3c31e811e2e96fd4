"""When today began: each organization has its own day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse

from agents.hours.local_time import midnights


@dataclass(frozen=True, slots=True)
class LocalDays:
    """When today began, by the name of a time zone: each organization has its own."""

    midnights: Mapping[str, dt.datetime]

    @classmethod
    def of(cls, request: HttpRequest, now: dt.datetime) -> LocalDays:
        return cls(midnights(request, now))

    @property
    def first(self) -> dt.datetime:
        """The earliest, for links to lists."""
        return min(self.midnights.values())

    def rows(self, days_back: int = 0) -> Q:
        """Rows of today and of so many days before, each by its organization's zone."""
        found = Q(organization__isnull=True, created_at__gte=self.first - dt.timedelta(days=days_back))
        for zone, midnight in self.midnights.items():
            found |= Q(organization__time_zone=zone, created_at__gte=day_before(midnight, days_back))
        return found

    def beginning_today(self) -> Q:
        """Appointments that begin today, each in its organization's zone."""
        found = Q(pk__in=[])
        for zone, midnight in self.midnights.items():
            found |= Q(
                organization__time_zone=zone, starts_at__gte=midnight, starts_at__lt=day_before(midnight, days=-1)
            )
        return found


def day_before(midnight: dt.datetime, days: int) -> dt.datetime:
    """Midnight so many days earlier, on the wall clock: a day may have 23 or 25 hours."""
    return dt.datetime.combine(midnight.date() - dt.timedelta(days=days), dt.time(0), midnight.tzinfo)


def link(name: str, **query: object) -> str:
    url = reverse(f"admin:{name}_changelist")
    return f"{url}?{urlencode(query)}" if query else url
