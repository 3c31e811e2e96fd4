"""Texts the customer when an order is ready, refused or canceled: once, unless that is undone before.

Such a text waits for a while in the outbox. When its turn comes it is sent only if the order is still so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.utils import timezone

from sessions.messages.texts.kinds import TextKind
from sessions.messages.texts.models import Text, TextSettings, TextState, text_settings_of
from sessions.messages.texts.services.checking import number_of
from sessions.messages.texts.services.queueing import queue_text
from sessions.moves import HELD_FOR
from sessions.orders.models import Order, OrderState

from .confirmations import facts_of

# Later, the customer stands at the counter already.
READY_WITHIN = dt.timedelta(minutes=30)
KIND_OF: Mapping[str, TextKind] = {
    OrderState.READY: TextKind.ORDER_READY,
    OrderState.REFUSED: TextKind.ORDER_REFUSED,
    OrderState.CANCELED: TextKind.ORDER_CANCELED,
}
# In which states of the order the text is still true.
STATES_OF: Mapping[str, tuple[OrderState, ...]] = {
    TextKind.ORDER_READY: (OrderState.READY, OrderState.DONE),
    TextKind.ORDER_ON_ITS_WAY: (OrderState.READY, OrderState.DONE),
    TextKind.ORDER_REFUSED: (OrderState.REFUSED,),
    TextKind.ORDER_CANCELED: (OrderState.CANCELED,),
}


def text_customer(order: Order) -> Text | None:
    """The text about the state that the order has now, in the transaction that moves it; None where none is wanted.

    It goes to the number of the order's call alone, as every text to a customer.
    """
    kind = _kind_of(order)
    if kind is None or order.call is None or not _is_wanted(kind, text_settings_of(order.organization)):
        return None
    due_at = timezone.now() + HELD_FOR
    return queue_text(
        order.organization,
        to=number_of(order.call),
        kind=kind,
        fields={**facts_of(order, order.call), "reason": order.reason},
        key=_key(order, order.state),
        call=order.call,
        about=str(order.pk),
        due_at=due_at,
        not_after=due_at + READY_WITHIN if order.state == OrderState.READY else None,
    )


def _kind_of(order: Order) -> TextKind | None:
    """What is ready and delivered is on its way: nobody has to come for it."""
    kind = KIND_OF.get(order.state)
    return TextKind.ORDER_ON_ITS_WAY if kind == TextKind.ORDER_READY and order.is_delivery else kind


def is_still_so(text: Text) -> bool:
    """Whether the order is still in a state of which the text speaks."""
    return Order.objects.filter(
        organization=text.organization_id, pk=text.about, state__in=STATES_OF[text.kind]
    ).exists()


def was_texted(order: Order, state: OrderState) -> bool:
    """Whether its customer has got the text about that state, or will: it is on its way."""
    text = Text.objects.filter(organization=order.organization_id, key=_key(order, state)).first()
    if text is None:
        return False
    is_on_its_way = text.state == TextState.WAITING and text.sending_since is not None
    return is_on_its_way or text.state in (TextState.SENT, TextState.DELIVERED)


def customer_text_key(order: Order) -> str:
    """Of the text about the order's present state; empty where there is none for it. A ready order may be done."""
    state = OrderState.READY if order.state == OrderState.DONE else order.state
    return _key(order, state) if state in KIND_OF else ""


def _key(order: Order, state: str) -> str:
    return f"order:{order.pk}:{state}"


def _is_wanted(kind: TextKind, wishes: TextSettings) -> bool:
    is_good_news = kind in (TextKind.ORDER_READY, TextKind.ORDER_ON_ITS_WAY)
    return wishes.tells_ready if is_good_news else wishes.tells_refused
