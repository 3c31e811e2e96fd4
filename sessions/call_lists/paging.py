"""Pages of calls, the newest first, continued by a cursor: calls that come in meanwhile move none of them."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from agents.organizations.models import Organization
from agents.organizations.principal import Principal
from agents.organizations.scopes import Scope
from sessions.calls.masked_numbers import calling_number, dialed_number
from sessions.calls.models import Call
from voiceapp.core.errors import ApplicationError

from .exporting import LEFT_OUT, is_after
from .figures import CallFigures, read_figures
from .narrowing import Reader, narrowed
from .outcomes import CallOutcome, outcomes_of

LONGEST_CURSOR = 120


class CursorRefused(ApplicationError):
    message = "This is no cursor of this list. Begin without one."


@dataclass(frozen=True, slots=True)
class ShownCall:
    """A call as a list shows it; `sees`: with whole numbers."""

    call: Call
    figures: CallFigures
    outcomes: Collection[CallOutcome]
    sees: bool

    @property
    def caller_number(self) -> str:
        return calling_number(self.call, sees=self.sees)

    @property
    def dialed_number(self) -> str:
        return dialed_number(self.call, sees=self.sees)

    @property
    def turns(self) -> int:
        return len(self.figures.response_times)

    @property
    def median_response_ms(self) -> int | None:
        times = [each for each in self.figures.response_times if each is not None]
        return int(median(times)) if times else None


@dataclass(frozen=True, slots=True)
class ListPage:
    """`next` is empty on the last page."""

    calls: Sequence[ShownCall]
    next: str


def page_of_calls(principal: Principal, wanted: Mapping[str, Any], *, limit: int, cursor: str = "") -> ListPage:
    """`wanted` is what a CallFilterForm has read. Raises CursorRefused."""
    found = narrowed(Call.objects.visible_to(principal), wanted, reader_of(principal, has_number="number" in wanted))
    keys = found.filter(is_after(*read_cursor(cursor)) if cursor else Q()).order_by("-created_at", "-id")
    page = list(keys.values_list("created_at", "pk")[: limit + 1])
    ids = [pk for _, pk in page[:limit]]
    rows = Call.objects.defer(*LEFT_OUT).prefetch_related("organization", "agent", "agent_version")
    calls = list(rows.filter(pk__in=ids).order_by("-created_at", "-id"))
    figures, outcomes = read_figures(ids), outcomes_of(calls)
    shown = [
        ShownCall(call, figures[call.pk], outcomes[call.pk], sees_numbers_of(principal, call.organization_id))
        for call in calls
    ]
    return ListPage(shown, write_cursor(*page[limit - 1]) if len(page) > limit else "")


def sees_numbers_of(principal: Principal, organization_id: UUID | None) -> bool:
    return principal.may(Scope.CALLER_NUMBERS_READ, organization_id)


def reader_of(principal: Principal, *, has_number: bool) -> Reader:
    """Days begin in the zone of the principal's organization; of several with different zones, in UTC."""
    seen = list(Organization.objects.visible_to(principal)) if not principal.sees_all else []
    zones = {organization.time_zone for organization in seen}
    return Reader(
        zone=seen[0].zone if len(zones) == 1 else dt.UTC,
        regions=frozenset(each.region for each in seen if each.region) if has_number else frozenset(),
        sees_numbers=principal.sees_all or all(sees_numbers_of(principal, each.pk) for each in seen),
    )


def write_cursor(at: dt.datetime, call_id: UUID) -> str:
    text = f"{at.astimezone(dt.UTC).isoformat()} {call_id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[dt.datetime, UUID]:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
        at, _, call_id = text.partition(" ")
        time = dt.datetime.fromisoformat(at)
        if timezone.is_naive(time):
            raise CursorRefused
        return time, UUID(call_id)
    except (ValueError, OverflowError, binascii.Error) as exc:
        raise CursorRefused from exc
