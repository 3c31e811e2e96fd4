"""Submits the draft of a call once: stock, number, rows and the message to the kitchen in one transaction."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from agents.catalog.offers import Counted, say_price
from agents.organizations.models import Organization
from sessions.analytics.changes import note_day_change
from sessions.calls.models import Call
from sessions.messages.endpoints.events import WebhookEvent
from sessions.messages.endpoints.services.announcing import announce_event
from sessions.messages.texts.models import Text
from sessions.orders.board.alarms import schedule_alarm
from sessions.orders.board.announcing import announce_orders
from sessions.orders.board.times import ready_at_now, ready_sentence
from sessions.orders.draft import Chosen, Line, Refused, counted, refresh
from sessions.orders.draft.delivery import Delivery
from sessions.orders.models import DraftOrder, Order, OrderLine, OrderModifier, OrderState
from sessions.orders.pricing import Totals
from sessions.orders.serializers import OrderBody
from voiceapp.core import metrics
from voiceapp.core.phones.numbers import read_caller

from .confirmations import confirm_order
from .deliveries import checked_again
from .drafts import (
    NO_ORDERS,
    DraftView,
    draft_view,
    live_catalog,
    lock_draft,
    save_delivery,
    save_lines,
    standing_order,
    too_little_of,
)
from .stock import SoldOut, held_by, move_stock
from .transfer_targets import too_large

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
    delivery: Delivery | None = None


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
            **_delivery_columns(placement.delivery, totals),
            ready_at=ready_at_now(
                organization,
                timezone.now(),
                drive_minutes=placement.delivery.minutes if placement.delivery else None,
            ),
        )
        for position, line in enumerate(lines, 1):
            _write_line(order, position, line)
        _announce(order)
        schedule_alarm(order)
        announce_orders(organization.pk)
        times = order.created_at, replaces.created_at if replaces else None
        note_day_change(organization.pk, *times, call_id=order.call_id)
    return order


def _delivery_columns(delivery: Delivery | None, totals: Totals) -> dict[str, object]:
    if delivery is None:
        return {}
    return {
        "is_delivery": True,
        "street": delivery.street,
        "postcode": delivery.postcode,
        "place": delivery.place,
        "zone": delivery.zone,
        "delivery_fee": totals.fee,
    }


def confirmation(order: Order) -> str:
    """What the caller hears of a committed order; always the same for the same order."""
    place = f"replaces order number {order.replaces.number}" if order.replaces else "is placed"
    ready = ready_sentence(order.organization, order.ready_at, is_delivery=order.is_delivery)
    said = f"Your order number {order.number} {place}. The total is {say_price(order.total, order.currency)}. {ready}"
    return said.rstrip()


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
        said_turn=line.said_turn,
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
    announce_event(
        WebhookEvent.ORDER_REPLACED if order.replaces else WebhookEvent.ORDER_SUBMITTED,
        organization_id=order.organization_id,
        about=f"order:{order.id}",
        data=lambda: OrderBody(order).data,
        in_order_of=f"call:{order.call_id}" if order.call_id else "",
    )
    transaction.on_commit(metrics.orders_submitted.inc)


NOTHING_YET = "There is nothing in the order yet. What would you like?"
READ_BACK_FIRST = "Let me read the order back to you first."
WAIT_FOR_ANSWER = "Please tell me first whether the order is right."
READ_BACK_AGAIN = "Let me read the order back to you again."
JUST_SOLD_OUT = "Something in the order has just run out. Let me look again."


@dataclass(frozen=True, slots=True)
class Submission:
    """`order` is None when it was refused; `say` is the sentence either way."""

    say: str
    view: DraftView
    order: Order | None = None
    transfer_to: str = ""
    text: Text | None = None


def submit_draft(call: Call, *, caller_turns: int, customer_name: str, now: dt.datetime) -> Submission:
    """Place the order of the draft's version, once: repeated, it answers with the same order.

    Inside the caller's transaction, if there is one, it is committed with it: say so only after that.
    """
    assert call.organization_id is not None
    with transaction.atomic():
        draft = lock_draft(call)
        organization = lock_organization(call.organization_id)
        view = draft_view(organization, draft)
        earlier = standing_order(call)
        if earlier is not None and earlier.draft_version == draft.version:
            return Submission(confirmation(earlier), view, earlier)
        refusal = _not_ready(draft, view, caller_turns) or _not_possible(earlier, view)
        if refusal:
            return Submission(refusal, view)
        fresh = refresh(view.lines, live_catalog(call, now))
        if fresh.lines != view.lines:
            save_lines(draft, fresh.lines, now=now)
            view = draft_view(organization, draft)
            return Submission(" ".join([*fresh.changed, *fresh.problems, READ_BACK_AGAIN]), view)
        if fresh.problems:
            return Submission(" ".join(fresh.problems), view)
        if problem := _delivery_problem(draft, view, now):
            return Submission(problem, draft_view(organization, draft))
        large = too_large(view, call, now=now)
        if large is not None:
            return Submission(large.say, view, transfer_to=large.target)
        placement = Placement(
            call=call,
            draft_version=draft.version,
            customer_name=customer_name,
            customer_number=read_caller(call.caller_number).number,
            delivery=view.delivery,
        )
        try:
            order = place_order(organization, view.lines, view.totals, placement, replaces=earlier)
        except SoldOut:
            return Submission(JUST_SOLD_OUT, view)
        text = confirm_order(order)
    return Submission(confirmation(order), view, order, text=text)


def _delivery_problem(draft: DraftOrder, view: DraftView, now: dt.datetime) -> str:
    """Why it cannot be delivered for what was read back; empty if it can, and for pickup."""
    if view.delivery is None:
        return ""
    try:
        terms = checked_again(view.organization, view.delivery)
    except Refused as refusal:
        return refusal.say
    if terms != view.delivery:
        save_delivery(draft, terms, now=now)
        return f"What delivery costs has changed. {READ_BACK_AGAIN}"
    return too_little_of(view)


def _not_ready(draft: DraftOrder, view: DraftView, caller_turns: int) -> str:
    if not view.lines:
        return NOTHING_YET
    if draft.read_back_version != draft.version or draft.read_back_turn is None:
        return READ_BACK_FIRST
    return WAIT_FOR_ANSWER if caller_turns <= draft.read_back_turn else ""


def _not_possible(earlier: Order | None, view: DraftView) -> str:
    if not view.organization.takes_orders:
        return NO_ORDERS
    if earlier is not None and OrderState(earlier.state) not in REPLACEABLE:
        return TOO_LATE
    return ""
