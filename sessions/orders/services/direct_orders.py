"""Places an order that comes whole, from the internal API: once per idempotency key."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from agents.catalog.queries import load_catalog
from agents.hours.queries import is_open, opening_hours_sentence
from agents.organizations.models import Organization
from sessions.idempotency.requests import IdempotentRequest, call_of, customer_number_of, made_before
from sessions.orders.draft import Refused, apply_changes
from sessions.orders.models import Order
from voiceapp.core.transactions import retried

from .confirmations import confirm_order
from .drafts import NO_ORDERS, view_of
from .stock import SoldOut
from .submission import JUST_SOLD_OUT, Placement, lock_organization, place_order
from .transfer_targets import too_large


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectOrder(IdempotentRequest):
    """The requested order. `lines` are as untrusted as those of a model."""

    lines: Sequence[Mapping[str, object]]
    customer_name: str = ""
    customer_number: str = ""
    note: str = ""


def place_directly(wish: DirectOrder, *, now: dt.datetime) -> tuple[Order, bool]:
    """The order, and whether it had been placed before.

    Raises Organization.DoesNotExist, NumberRefused, UnknownCall, KeyReused, Refused with a sentence, or NotSaved.
    """
    return retried(lambda: _place(wish, now), what="submit-order")


def _place(wish: DirectOrder, now: dt.datetime) -> tuple[Order, bool]:
    with transaction.atomic():
        organization = lock_organization(wish.organization_id)
        if (earlier := made_before(Order.objects.all(), wish)) is not None:
            return earlier, True
        call = call_of(organization, wish.call_id)
        _check_takes_orders(organization, now)
        number = customer_number_of(organization, wish.customer_number, call)
        changes = [{"do": "add", **line} for line in wish.lines]
        view = view_of(organization, 0, apply_changes((), changes, load_catalog(organization.pk, now)))
        large = too_large(view, call, now=now)
        if large is not None:
            raise Refused(large.say)
        placement = Placement(
            call=call,
            idempotency_key=wish.scoped_key,
            request_digest=wish.request_digest,
            customer_name=wish.customer_name,
            customer_number=number,
            note=wish.note,
        )
        try:
            order = place_order(organization, view.lines, view.totals, placement)
        except SoldOut as exc:
            raise Refused(JUST_SOLD_OUT) from exc
        confirm_order(order)
        return order, False


def _check_takes_orders(organization: Organization, now: dt.datetime) -> None:
    if not organization.takes_orders:
        raise Refused(NO_ORDERS)
    if not is_open(organization, now):
        raise Refused(opening_hours_sentence(organization, now))
