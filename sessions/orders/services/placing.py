"""Places an order: stock, number, rows and the message to the kitchen in one transaction, or nothing."""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Max

from agents.catalog.offers import Counted
from agents.catalog.spoken_prices import say_price
from agents.organizations.models import Organization
from sessions.calls.models import Call
from sessions.messages.outbox import outbox
from sessions.orders.draft import Chosen, Line, Refused, counted
from sessions.orders.models import Order, OrderLine, OrderModifier, OrderState
from sessions.orders.pricing import Totals
from sessions.orders.serializers import OrderBody
from voiceapp.core import metrics

from .stock import held_by, move_stock

TOPIC = "order.submitted"
# A later order of the same call may take the place of one in these states; after that it is being handed out.
REPLACEABLE = (OrderState.SUBMITTED, OrderState.ACCEPTED)
TOO_LATE = "That order is already being handed out. For changes I will connect you to a person."


@dataclass(frozen=True, slots=True)
class Placement:
    """What distinguishes one order from another, beside its lines."""

    call: Call | None = None
    draft_version: int | None = None
    idempotency_key: str | None = None
    request_digest: str = ""
    customer_name: str = ""
    customer_number: str = ""
    note: str = ""


def lock_organization(organization_id: uuid.UUID) -> Organization:
    """The organization as it is now. Its lock is the first of every order, so orders of one are placed in turn.

    FOR NO KEY UPDATE: rows that point at the organization may still be inserted meanwhile.
    """
    return Organization.objects.select_for_update(no_key=True).get(pk=organization_id)


def place_order(
    organization: Organization,
    lines: tuple[Line, ...],
    totals: Totals,
    placement: Placement,
    *,
    replaces: Order | None = None,
) -> Order:
    """Write the order inside the caller's transaction, with the organization locked by `lock_organization`.

    Raises SoldOut when a count does not suffice and IntegrityError when this very order exists: both undo everything.
    """
    with transaction.atomic():
        given_back: Counter[Counted] = held_by(replaces) if replaces else Counter()
        if replaces is not None:
            _retire(replaces)
        move_stock(taken=counted(lines), given_back=given_back)
        newest = Order.objects.filter(organization=organization).aggregate(newest=Max("number"))["newest"] or 0
        order = Order.objects.create(
            organization=organization,
            number=newest + 1,
            replaces=replaces,
            currency=organization.currency,
            subtotal=totals.subtotal,
            tax=totals.tax,
            total=totals.total,
            call=placement.call,
            draft_version=placement.draft_version,
            idempotency_key=placement.idempotency_key,
            request_digest=placement.request_digest,
            customer_name=placement.customer_name,
            customer_number=placement.customer_number,
            note=placement.note,
        )
        for position, line in enumerate(lines, 1):
            _write_line(order, position, line)
        _announce(order)
    return order


def confirmation(order: Order) -> str:
    """What the caller hears of a committed order; always the same for the same order."""
    place = f"replaces order number {order.replaces.number}" if order.replaces else "is placed"
    return f"Your order number {order.number} {place}. The total is {say_price(order.total, order.currency)}."


def _retire(order: Order) -> None:
    """A guarded update: the kitchen may have changed its state meanwhile."""
    if not Order.objects.filter(pk=order.pk, state__in=REPLACEABLE).update(state=OrderState.REPLACED):
        raise Refused(TOO_LATE)


def _write_line(order: Order, position: int, line: Line) -> None:
    row = OrderLine.objects.create(
        order=order,
        position=position,
        item_id=line.item_id,
        item=line.item,
        size_id=line.size_id,
        size=line.size,
        quantity=line.quantity,
        unit_price=line.unit_price,
        price=line.price,
        note=line.note,
    )
    written: dict[int, OrderModifier] = {}
    for pick in line.chosen:
        written[pick.modifier_id] = _write_modifier(row, pick, written.get(pick.under) if pick.under else None)


def _write_modifier(line: OrderLine, pick: Chosen, parent: OrderModifier | None) -> OrderModifier:
    return OrderModifier.objects.create(
        line=line,
        parent=parent,
        modifier_id=pick.modifier_id,
        group=pick.group,
        name=pick.name,
        quantity=pick.quantity,
        price=pick.price,
    )


def _announce(order: Order) -> None:
    """The message is written in the transaction; those of one call are delivered in order."""
    outbox.enqueue(
        TOPIC,
        partition_key=f"call:{order.call_id}" if order.call_id else f"order:{order.id}",
        body=OrderBody(order).data,
        organization=order.organization,
    )
    transaction.on_commit(metrics.orders_submitted.inc)
