"""Moves an order on after it was submitted, and back: people do that, on the order board and the order's page."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from sessions.analytics.changes import note_day_change
from sessions.messages.endpoints.events import WebhookEvent
from sessions.messages.endpoints.services.announcing import announce_event
from sessions.moves import LONGEST_REASON, move_to_undo
from sessions.orders.board.announcing import announce_orders
from sessions.orders.models import Order, OrderEvent, OrderState
from sessions.orders.serializers import OrderBody
from voiceapp.core.errors import ApplicationError

from .customer_texts import text_customer
from .stock import SoldOut, held_by, move_stock

# What may come before each state.
BEFORE: Mapping[OrderState, tuple[OrderState, ...]] = {
    OrderState.ACCEPTED: (OrderState.SUBMITTED,),
    OrderState.IN_PROGRESS: (OrderState.SUBMITTED, OrderState.ACCEPTED),
    OrderState.READY: (OrderState.SUBMITTED, OrderState.ACCEPTED, OrderState.IN_PROGRESS),
    OrderState.DONE: (OrderState.SUBMITTED, OrderState.ACCEPTED, OrderState.IN_PROGRESS, OrderState.READY),
    OrderState.REFUSED: (OrderState.SUBMITTED,),
    OrderState.CANCELED: (OrderState.SUBMITTED, OrderState.ACCEPTED, OrderState.IN_PROGRESS, OrderState.READY),
}
# Their items go back into stock, and the customer must be told why.
GIVEN_UP = (OrderState.REFUSED, OrderState.CANCELED)


def may_move(order: Order, to: OrderState) -> bool:
    return order.state in BEFORE[to]


def move_order(order: Order, *, to: OrderState, by: str = "", reason: str = "", seen: str = "") -> OrderEvent:
    """A guarded update, with who did it; an order that is given up releases what it took from the counts.

    `seen` is the state that the person saw: what somebody else has moved since is left alone. `reason` is required of
    an order that is given up. Raises ApplicationError with a sentence that says who was faster.
    """
    reason = " ".join(reason.split())[:LONGEST_REASON]
    if to in GIVEN_UP and not reason:
        raise ApplicationError(gettext("Enter a reason: it is kept with the order."))
    with transaction.atomic():
        before = _locked(order).state
        if before not in BEFORE[to] or (seen and before != seen):
            raise ApplicationError(_overtaken(order))
        if to in GIVEN_UP:
            move_stock(taken=Counter(), given_back=held_by(order))
        return _write(order, before=before, after=to, by=by, reason=reason)


def undo_move(order: Order, *, event_id: int, by: str = "", now: dt.datetime | None = None) -> OrderEvent:
    """Move an order back to where it was before its last move, which is `event_id`; anybody may, for ten minutes.

    Raises ApplicationError.
    """
    now = now or timezone.now()
    with transaction.atomic():
        state = _locked(order).state
        last = move_to_undo(
            last_move(order),
            event_id=event_id,
            stands=lambda move: move.after == state,
            overtaken=lambda: _overtaken(order),
            now=now,
        )
        if last.after in GIVEN_UP:
            try:
                move_stock(taken=held_by(order), given_back=Counter())
            except SoldOut as exc:
                raise ApplicationError(
                    gettext("Something of this order has been sold since: it cannot be undone.")
                ) from exc
        return _write(order, before=last.after, after=last.before, by=by, is_undo=True)


def last_move(order: Order) -> OrderEvent | None:
    return order.events.order_by("-id").first()


def who_moved(event: OrderEvent) -> str:
    """“Mia accepted it at 18:32”, as the other one reads it."""
    facts = {
        "by": event.by or gettext("Somebody"),
        "time": f"{event.at.astimezone(event.order.organization.zone):%H:%M}",
    }
    if event.is_undo:
        facts["state"] = event.get_after_display().lower()
        return gettext("%(by)s put it back to %(state)s at %(time)s") % facts
    return str(DONE_TO_IT[event.after]) % facts


IS_MOVED: Mapping[str, StrOrPromise] = {
    OrderState.ACCEPTED: _("%(order)s is accepted."),
    OrderState.IN_PROGRESS: _("%(order)s is in progress."),
    OrderState.READY: _("%(order)s is ready."),
    OrderState.DONE: _("%(order)s is done."),
    OrderState.REFUSED: _("%(order)s is refused."),
    OrderState.CANCELED: _("%(order)s is canceled."),
}
DONE_TO_IT: Mapping[str, StrOrPromise] = {
    OrderState.ACCEPTED: _("%(by)s accepted it at %(time)s"),
    OrderState.IN_PROGRESS: _("%(by)s started it at %(time)s"),
    OrderState.READY: _("%(by)s marked it as ready at %(time)s"),
    OrderState.DONE: _("%(by)s marked it as done at %(time)s"),
    OrderState.REFUSED: _("%(by)s refused it at %(time)s"),
    OrderState.CANCELED: _("%(by)s canceled it at %(time)s"),
}


def _locked(order: Order) -> Order:
    return Order.objects.select_for_update().only("state").get(pk=order.pk)


def _write(order: Order, *, before: str, after: str, by: str, reason: str = "", is_undo: bool = False) -> OrderEvent:
    kept = reason if after in GIVEN_UP else ""
    if not Order.objects.filter(pk=order.pk, state=before).update(state=after, reason=kept):
        raise ApplicationError(_overtaken(order))
    order.state, order.reason = after, kept
    announce_orders(order.organization_id)
    note_day_change(order.organization_id, order.created_at, call_id=order.call_id)
    announce_event(
        WebhookEvent.ORDER_STATE_CHANGED,
        organization_id=order.organization_id,
        about=f"order:{order.pk}",
        data=lambda: OrderBody(order).data,
        in_order_of=f"call:{order.call_id}" if order.call_id else "",
    )
    if not is_undo:
        text_customer(order)
    return OrderEvent.objects.create(order=order, before=before, after=after, by=by, reason=reason, is_undo=is_undo)


def _overtaken(order: Order) -> str:
    """What became of the order meanwhile, and by whom."""
    now = Order.objects.get(pk=order.pk)
    last = last_move(now)
    if now.state == OrderState.REPLACED:
        return gettext("%(order)s was replaced: its customer has changed it on the phone. See the newer order.") % {
            "order": order
        }
    if last is not None and last.after == now.state:
        return gettext("%(who_moved)s: %(order)s is %(state)s now.") % {
            "who_moved": who_moved(last),
            "order": order,
            "state": now.get_state_display().lower(),
        }
    return gettext("%(order)s is %(state)s now, so this is no longer possible.") % {
        "order": order,
        "state": now.get_state_display().lower(),
    }
