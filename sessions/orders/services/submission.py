"""Submits the draft of a call: read back, agreed to, still possible, and exactly once."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction

from sessions.calls.models import Call
from sessions.orders.draft import lines_from_json, refresh
from sessions.orders.models import DraftOrder, Order, OrderState
from voiceapp.core.phones.numbers import read_caller

from .drafts import NO_ORDERS, DraftView, live_catalog, lock_draft, save_lines, standing_order, view_of
from .placing import REPLACEABLE, TOO_LATE, Placement, confirmation, lock_organization, place_order
from .stock import SoldOut
from .transfer_targets import too_large

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


def submit_draft(call: Call, *, caller_turns: int, customer_name: str, now: dt.datetime) -> Submission:
    """Place the order of the draft's version, once: repeated, it answers with the same order.

    Inside the caller's transaction, if there is one, it is committed with it: say so only after that.
    """
    assert call.organization_id is not None
    with transaction.atomic():
        draft = lock_draft(call)
        organization = lock_organization(call.organization_id)
        view = view_of(organization, draft.version, lines_from_json(draft.lines))
        earlier = standing_order(call)
        if earlier is not None and earlier.draft_version == draft.version:
            return Submission(confirmation(earlier), view, earlier)
        refusal = _not_ready(draft, view, caller_turns) or _not_possible(earlier, view)
        if refusal:
            return Submission(refusal, view)
        fresh = refresh(view.lines, live_catalog(call, now))
        if fresh.lines != view.lines:
            save_lines(draft, fresh.lines, now=now)
            view = view_of(organization, draft.version, fresh.lines)
            return Submission(" ".join([*fresh.changed, *fresh.problems, READ_BACK_AGAIN]), view)
        if fresh.problems:
            return Submission(" ".join(fresh.problems), view)
        large = too_large(view, now=now)
        if large is not None:
            return Submission(large.say, view, transfer_to=large.target)
        placement = Placement(
            call=call,
            draft_version=draft.version,
            customer_name=customer_name,
            customer_number=read_caller(call.caller_number).number,
        )
        try:
            order = place_order(organization, view.lines, view.totals, placement, replaces=earlier)
        except SoldOut:
            return Submission(JUST_SOLD_OUT, view)
    return Submission(confirmation(order), view, order)


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
