"""Moves an order on after it was submitted: people do that, on the order's page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from django.db import transaction

from sessions.messages.endpoints.events import WebhookEvent
from sessions.messages.endpoints.services.announcing import announce_event
from sessions.orders.models import Order, OrderState
from sessions.orders.serializers import OrderBody
from voiceapp.core.errors import ApplicationError

from .stock import held_by, move_stock

# What may come before each state.
BEFORE: Mapping[OrderState, tuple[OrderState, ...]] = {
    OrderState.ACCEPTED: (OrderState.SUBMITTED,),
    OrderState.READY: (OrderState.SUBMITTED, OrderState.ACCEPTED),
    OrderState.DONE: (OrderState.SUBMITTED, OrderState.ACCEPTED, OrderState.READY),
    OrderState.CANCELED: (OrderState.SUBMITTED, OrderState.ACCEPTED, OrderState.READY),
}


def may_move(order: Order, to: OrderState) -> bool:
    return order.state in BEFORE[to]


def move_order(order: Order, *, to: OrderState) -> None:
    """A guarded update; a canceled order releases what it took from the counts. Raises ApplicationError."""
    with transaction.atomic():
        if not Order.objects.filter(pk=order.pk, state__in=BEFORE[to]).update(state=to):
            raise ApplicationError(f"{order} can no longer become {to.label.lower()}. Reload the page.")
        if to == OrderState.CANCELED:
            move_stock(taken=Counter(), given_back=held_by(order))
        order.state = to
        announce_event(
            WebhookEvent.ORDER_STATE_CHANGED,
            organization_id=order.organization_id,
            about=f"order:{order.pk}",
            data=lambda: OrderBody(order).data,
            in_order_of=f"call:{order.call_id}" if order.call_id else "",
        )
