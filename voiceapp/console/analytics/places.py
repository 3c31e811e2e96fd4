"""The organizations whose figures a user may see, each with its own days."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.http import HttpRequest

from agents.hours.local_time import zones_of
from agents.organizations.access import Access
from agents.organizations.principal import Principal
from agents.organizations.roles import Area
from sessions.analytics.counting import Rows

# The figures are of all of these: where a role may not see one of them, it sees no figures.
AREAS = (Area.CALLS, Area.ORDERS, Area.APPOINTMENTS)


def sees_figures(access: Access) -> bool:
    principal = principal_of_figures(access)
    return principal.sees_all or bool(principal.organization_ids)


def principal_of_figures(access: Access) -> Principal:
    organizations = frozenset.intersection(*(access.organizations(area) for area in AREAS))
    return Principal(access.subject, organizations, access.sees_all)


@dataclass(frozen=True, slots=True)
class Places:
    """Their zones, by organization, and the time at which the page is made."""

    zones: Mapping[UUID, ZoneInfo]
    now: dt.datetime

    @classmethod
    def of(cls, request: HttpRequest, principal: Principal, now: dt.datetime) -> Places:
        seen = {
            pk: zone for pk, zone in zones_of(request).items() if principal.sees_all or pk in principal.organization_ids
        }
        return cls(seen, now)

    def only(self, organization_id: UUID | None) -> Places:
        if organization_id is None:
            return self
        return Places({pk: zone for pk, zone in self.zones.items() if pk == organization_id}, self.now)

    @property
    def by_zone(self) -> Mapping[ZoneInfo, list[UUID]]:
        found: defaultdict[ZoneInfo, list[UUID]] = defaultdict(list)
        for pk, zone in self.zones.items():
            found[zone].append(pk)
        return found or {ZoneInfo("UTC"): []}

    def today(self, zone: ZoneInfo) -> dt.date:
        return self.now.astimezone(zone).date()

    @property
    def first_today(self) -> dt.date:
        return min(map(self.today, self.by_zone))

    @property
    def last_today(self) -> dt.date:
        return max(map(self.today, self.by_zone))

    def past(self) -> Q:
        """Days before today, each in the zone of its organization."""
        found = Q(pk__in=())
        for zone, organizations in self.by_zone.items():
            found |= Q(organization_id__in=organizations, day__lt=self.today(zone))
        return found

    def rows_of_today(self) -> Rows:
        midnights = [
            (organizations, dt.datetime.combine(self.today(zone), dt.time(0), zone))
            for zone, organizations in self.by_zone.items()
        ]

        def rows(column: str, *, of: str = "") -> Q:
            found = Q(pk__in=())
            for organizations, midnight in midnights:
                found |= Q(**{f"{of}organization_id__in": organizations, f"{of}{column}__gte": midnight})
            return found

        return rows

    def bounds(self, first: dt.date, last: dt.date) -> tuple[dt.datetime, dt.datetime]:
        """When the first of these days begins, and when the last one is over, wherever that is first and last."""
        after = last + dt.timedelta(days=1)
        begins = min(dt.datetime.combine(first, dt.time(0), zone) for zone in self.by_zone)
        return begins, max(dt.datetime.combine(after, dt.time(0), zone) for zone in self.by_zone)
