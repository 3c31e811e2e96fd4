"""What a list of calls shows of each besides its own columns, read for a page of calls at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from django.db.models import Sum

from sessions.calls.models import Turn

from .outcomes import standing_orders


@dataclass(slots=True)
class CallFigures:
    """`total` is what its orders cost together, in `currency`."""

    response_times: list[int | None] = field(default_factory=list)
    total: Decimal | None = None
    currency: str = ""


def read_figures(call_ids: Collection[UUID]) -> defaultdict[UUID, CallFigures]:
    """Two queries, whatever the number of calls."""
    figures: defaultdict[UUID, CallFigures] = defaultdict(CallFigures)
    for call_id, response_ms in Turn.objects.filter(call__in=call_ids).values_list("call_id", "response_ms"):
        figures[call_id].response_times.append(response_ms)
    orders = standing_orders().filter(call__in=call_ids)
    for row in orders.values("call_id", "currency").annotate(total=Sum("total")).order_by():
        figures[row["call_id"]].total = row["total"]
        figures[row["call_id"]].currency = row["currency"]
    return figures
