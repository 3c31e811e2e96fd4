"""Compares the order in the database with the expected order of the script. The transcript is not used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from sessions.orders.models import Order, OrderState

from .script import ExpectedLine


def ordered_lines(call_id: UUID) -> list[ExpectedLine]:
    """The lines of the call's valid order with every modifier."""
    order = (
        Order.objects.filter(call_id=call_id)
        .exclude(state__in=[OrderState.REPLACED, OrderState.CANCELED])
        .prefetch_related("lines__modifiers")
        .order_by("-created_at")
        .first()
    )
    if order is None:
        return []
    return [
        ExpectedLine(
            line.item,
            line.quantity,
            line.size,
            tuple(sorted(modifier.name for modifier in line.modifiers.all() for _ in range(modifier.quantity))),
        )
        for line in order.lines.all()
    ]


def differences(expected: Sequence[ExpectedLine], ordered: Sequence[ExpectedLine]) -> list[str]:
    """A sentence for each missing and each unexpected line; empty if the orders are equal."""
    wanted, got = Counter(expected), Counter(ordered)
    missing = [f"missing: {describe(line)}" for line in (wanted - got).elements()]
    return missing + [f"unexpected: {describe(line)}" for line in (got - wanted).elements()]


def describe(line: ExpectedLine) -> str:
    """A line as text."""
    extras = f" with {', '.join(line.modifiers)}" if line.modifiers else ""
    return f"{line.quantity} × {line.size} {line.item}".replace("  ", " ") + extras
