"""What orders take from the counts of the menu, and what they release."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from django.db.models import F

from agents.catalog.models import Item, Modifier, Size
from agents.catalog.offers import Counted
from sessions.orders.models import Order

MODELS: Mapping[str, type[Item] | type[Size] | type[Modifier]] = {"item": Item, "modifier": Modifier, "size": Size}


class SoldOut(Exception):
    """Somebody else took the last one in between; the transaction must be undone."""


def held_by(order: Order) -> Counter[Counted]:
    """What an order took: rows may be gone from the menu by now."""
    held: Counter[Counted] = Counter()
    for line in order.lines.prefetch_related("modifiers"):
        if line.item_id is not None:
            held[Counted("item", line.item_id)] += line.quantity
        if line.size_id is not None:
            held[Counted("size", line.size_id)] += line.quantity
        for modifier in line.modifiers.all():
            if modifier.modifier_id is not None:
                held[Counted("modifier", modifier.modifier_id)] += modifier.quantity * line.quantity
    return held


def move_stock(*, taken: Counter[Counted], given_back: Counter[Counted]) -> None:
    """Lower and raise the counts by the difference, row by row in one fixed order, each by a guarded update.

    Raises SoldOut when a count does not suffice. Rows that are not counted stay so.
    """
    for counted in sorted(taken.keys() | given_back.keys()):
        difference = taken[counted] - given_back[counted]
        rows = MODELS[counted.kind]._default_manager.filter(pk=counted.id, count_left__isnull=False)
        if difference < 0:
            rows.update(count_left=F("count_left") - difference)
        elif difference > 0:
            enough = rows.filter(count_left__gte=difference)
            if not enough.update(count_left=F("count_left") - difference) and rows.exists():
                raise SoldOut
