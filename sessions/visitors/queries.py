"""What visitors' calls have cost, or may still cost, and how many there are at once."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

from django.conf import settings
from django.db.models import Case, DecimalField, F, Q, QuerySet, Sum, When
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from agents.organizations.models import Organization
from sessions.calls.costs import spending_limit
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import LIVE_STATES, Call
from sessions.calls.spending import SpendingLimit

from .models import VisitorCall

LOST = (EndReason.LOST_PROCESS, EndReason.AGENT_LOST)
# A call's last usage may be written after its end.
SETTLED_AFTER = dt.timedelta(minutes=1)
# Until then a reservation has become a call, or its request has died.
BEGINS_WITHIN = dt.timedelta(minutes=2)

MONEY: DecimalField[Decimal, Decimal] = DecimalField(max_digits=12, decimal_places=6)


def charged_usd(organization: Organization, day: dt.date) -> Decimal:
    """Of the budget of that day: what ended calls cost, and what is reserved for the others.

    An ended call whose cost is not known counts as its reservation, unless it never began. So does one whose process
    was lost, and with it some of its usage.
    """
    settled = Q(call__ended_at__lt=timezone.now() - SETTLED_AFTER) & ~Q(call__end_reason__in=LOST)
    charge = Case(
        When(settled & Q(call__cost_usd__isnull=False), then=F("call__cost_usd")),
        When(settled & Q(call__connected_at=None, call__usage={}), then=Decimal(0)),
        default=Greatest(F("reserved_usd"), Coalesce(F("call__cost_usd"), Decimal(0), output_field=MONEY)),
        output_field=MONEY,
    )
    total = VisitorCall.objects.filter(organization=organization, day=day).aggregate(total=Sum(charge))["total"]
    return Decimal(total or 0)


def calls_at_once(organization: Organization) -> int:
    """Visitors' calls that have not ended, and those that are about to begin."""
    return _going_on(VisitorCall.objects.filter(organization=organization)).count()


def _going_on(rows: QuerySet[VisitorCall]) -> QuerySet[VisitorCall]:
    begins = Q(call=None, created_at__gt=timezone.now() - BEGINS_WITHIN)
    return rows.filter(begins | Q(call__state__in=LIVE_STATES))


def spending_of(call: Call) -> tuple[int, SpendingLimit] | None:
    """The longest that a visitor's call may last, in minutes, and the most that it may cost; None for any other call.

    It is as it was reserved, whatever has been published since: nothing is spent that was not reserved. A call that
    was read with `select_related("visitor_call")` needs no query.
    """
    row: VisitorCall | None = getattr(call, "visitor_call", None)
    if row is None:
        return None
    priced = spending_limit_of(row.model, minutes=row.longest_call_minutes, on=row.created_at.date())
    if priced is None:  # pragma: no cover - it was known when it was reserved
        raise RuntimeError("a reservation without a price")
    return row.longest_call_minutes, replace(priced, most_usd=float(row.reserved_usd))


def spending_limit_of(model: str, *, minutes: int, on: dt.date) -> SpendingLimit | None:
    """The most that a call of this length by this model may cost; None if its price is not known."""
    return spending_limit(model, transcription_model=settings.OPENAI_TRANSCRIPTION_MODEL, minutes=minutes, on=on)
