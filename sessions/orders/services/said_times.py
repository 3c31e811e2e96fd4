"""When each line of a call's orders was said: looked up once the transcript is complete."""

from __future__ import annotations

from uuid import UUID

from agents.catalog.models import Item
from sessions.calls.said_times import caller_lines, said_at_ms
from sessions.orders.models import OrderLine


def settle_order_lines(call_id: UUID) -> None:
    """Write `said_at_ms` of every line; safe to repeat, and a repetition finds what has come since."""
    rows = list(OrderLine.objects.filter(order__call=call_id))
    if not rows:
        return
    heard = caller_lines(call_id)
    items = Item.objects.in_bulk([row.item_id for row in rows if row.item_id is not None])
    for row in rows:
        item = items.get(row.item_id) if row.item_id is not None else None
        row.said_at_ms = said_at_ms([row.item, *(item.spoken_forms if item else ())], heard, row.said_turn)
    OrderLine.objects.bulk_update(rows, ["said_at_ms"])
