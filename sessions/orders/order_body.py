"""An order as other software reads it: the body of the post to the kitchen and the answer of the internal API.

Documented field by field in docs/orders-webhook.md.
"""

from __future__ import annotations

from typing import TypedDict

from .models import Order, OrderLine, OrderModifier


class ModifierBody(TypedDict):
    id: int | None
    group: str
    name: str
    quantity: int
    price: str
    under: str | None


class LineBody(TypedDict):
    position: int
    itemId: int | None
    item: str
    size: str
    quantity: int
    unitPrice: str
    price: str
    note: str
    modifiers: list[ModifierBody]


class ReplacedBody(TypedDict):
    id: str
    number: int


class OrderBody(TypedDict):
    id: str
    number: int
    orgId: str
    callId: str | None
    state: str
    createdAt: str
    customerName: str
    customerNumber: str
    note: str
    currency: str
    lines: list[LineBody]
    subtotal: str
    tax: str
    total: str
    replaces: ReplacedBody | None


def order_body(order: Order) -> OrderBody:
    """Money as text with two decimals, moments as ISO 8601 in UTC with a Z."""
    lines = order.lines.prefetch_related("modifiers__parent").order_by("position")
    return OrderBody(
        id=str(order.id),
        number=order.number,
        orgId=str(order.organization_id),
        callId=str(order.call_id) if order.call_id else None,
        state=order.state,
        createdAt=f"{order.created_at:%Y-%m-%dT%H:%M:%S}.{order.created_at.microsecond // 1000:03}Z",
        customerName=order.customer_name,
        customerNumber=order.customer_number,
        note=order.note,
        currency=order.currency,
        lines=[_line(line) for line in lines],
        subtotal=f"{order.subtotal:.2f}",
        tax=f"{order.tax:.2f}",
        total=f"{order.total:.2f}",
        replaces=ReplacedBody(id=str(order.replaces.id), number=order.replaces.number) if order.replaces else None,
    )


def _line(line: OrderLine) -> LineBody:
    return LineBody(
        position=line.position,
        itemId=line.item_id,
        item=line.item,
        size=line.size,
        quantity=line.quantity,
        unitPrice=f"{line.unit_price:.2f}",
        price=f"{line.price:.2f}",
        note=line.note,
        modifiers=[_modifier(modifier) for modifier in line.modifiers.all()],
    )


def _modifier(modifier: OrderModifier) -> ModifierBody:
    return ModifierBody(
        id=modifier.modifier_id,
        group=modifier.group,
        name=modifier.name,
        quantity=modifier.quantity,
        price=f"{modifier.price:.2f}",
        under=modifier.parent.name if modifier.parent else None,
    )
