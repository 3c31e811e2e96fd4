"""Orders of today for the demo's order board, in every state, and a preparation time."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from agents.organizations.models import Organization
from sessions.messages.models import OutboxMessage
from sessions.orders.board.models import BoardSettings
from sessions.orders.models import Order, OrderState
from sessions.orders.services.direct_orders import DirectOrder, place_directly
from sessions.orders.services.states import move_order

STATES = OrderState
# Minutes ago, where it stands, the customer, a note, the item and a note about it.
ORDERS = (
    (48, (STATES.ACCEPTED, STATES.READY, STATES.DONE), "Anna", "", "Bruschetta", ""),
    (31, (STATES.REFUSED,), "Ben", "", "Panna Cotta", ""),
    (24, (STATES.ACCEPTED, STATES.IN_PROGRESS, STATES.READY), "Carla", "Please ring when it is ready.", "Tiramisu", ""),
    (17, (STATES.ACCEPTED, STATES.IN_PROGRESS), "Deniz", "", "Tiramisu", "no cocoa"),
    (9, (STATES.ACCEPTED,), "Emma", "Nut allergy! No pesto, no almonds.", "Bruschetta", ""),
    (4, (), "Felix", "", "Espresso", "two spoons"),
    (1, (), "Greta", "Lactose intolerant", "Tiramisu", ""),
)
PREP_MINUTES = 20


@transaction.atomic
def fill_board(organization: Organization) -> None:
    """A second run adds nothing."""
    BoardSettings.objects.get_or_create(organization=organization, defaults={"prep_minutes": PREP_MINUTES})
    for minutes, states, name, note, item, line_note in ORDERS:
        lines = [{"item": item, "quantity": 1 + minutes % 2, "note": line_note}]
        wish = DirectOrder(
            organization_id=organization.pk,
            idempotency_key=f"demo board {name}",
            request_digest="demo",
            lines=lines,
            customer_name=name,
            customer_number=f"+4930231255{minutes:02}",
            note=note,
        )
        order, was_there = place_directly(wish, now=timezone.now())
        if was_there:
            continue
        at = timezone.now() - dt.timedelta(minutes=minutes)
        Order.objects.filter(pk=order.pk).update(created_at=at, ready_at=at + dt.timedelta(minutes=PREP_MINUTES))
        for state in states:
            move_order(order, to=state, by="demo", reason="We are too busy." if state == STATES.REFUSED else "")
        # Nothing of the demo's past is sent anywhere.
        OutboxMessage.objects.filter(about=f"order:{order.pk}").update(state=OutboxMessage.State.DONE)
