"""Confirms an order by text, to the number of its call."""

from __future__ import annotations

from sessions.calls.models import Call
from sessions.messages.texts.kinds import TextKind
from sessions.messages.texts.models import Text, text_settings_of
from sessions.messages.texts.services.checking import number_of
from sessions.messages.texts.services.queueing import queue_text, text_language
from sessions.messages.texts.wording import items_words, money_words
from sessions.orders.models import VOID_STATES, Order, OrderLine


def confirm_order(order: Order) -> Text | None:
    """The confirmation, in the order's own transaction, where the organization wants one and the order has a call."""
    if order.call is None or not text_settings_of(order.organization).confirms_orders:
        return None
    return text_order(order)


def text_order(order: Order) -> Text:
    """The text about an order of a call; repeated, the same one."""
    assert order.call is not None
    return queue_text(
        order.organization,
        to=number_of(order.call),
        kind=TextKind.ORDER_CONFIRMATION,
        fields=facts_of(order, order.call),
        key=f"order:{order.pk}:confirmation",
        call=order.call,
        about=str(order.pk),
    )


def facts_of(order: Order, call: Call) -> dict[str, object]:
    """What texts about an order may name, in the language of its call."""
    lines = order.lines.prefetch_related("modifiers").order_by("position")
    return {
        "number": order.number,
        "items": items_words([_line_text(line) for line in lines]),
        "total": money_words(order.total, order.currency, text_language(order.organization, call)),
    }


def order_stands(text: Text) -> bool:
    """Whether the order that the text confirms was neither replaced nor refused nor canceled since."""
    orders = Order.objects.filter(organization=text.organization_id, pk=text.about)
    return orders.exclude(state__in=VOID_STATES).exists()


def _line_text(line: OrderLine) -> str:
    """“2 x large Margherita (deep dish, olives)”: a multiplication sign would make a text twice as long."""
    modifiers = ", ".join(each.name for each in line.modifiers.all())
    name = " ".join(f"{line.quantity} x {line.size} {line.item}".split())
    return f"{name} ({modifiers})" if modifiers else name
