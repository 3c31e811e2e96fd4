"""Places an order that comes whole, from the internal API: once per idempotency key."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction

from agents.catalog.queries import load_catalog
from agents.hours.queries import is_open, opening_hours_sentence
from agents.organizations.models import Organization
from sessions.calls.models import Call
from sessions.orders.draft import Refused, apply_changes
from sessions.orders.models import Order
from voiceapp.core.errors import ApplicationError
from voiceapp.core.phones.numbers import read_caller, read_number
from voiceapp.core.transactions import retried

from .confirmations import confirm_order
from .drafts import NO_ORDERS, view_of
from .stock import SoldOut
from .submission import JUST_SOLD_OUT, Placement, lock_organization, place_order
from .transfer_targets import too_large


class KeyReused(ApplicationError):
    """The idempotency key belongs to an order of another request."""

    message = "This key belongs to another order."


class NumberRefused(ApplicationError):
    """The customer's number is invalid; the message says what to write."""


class UnknownCall(ApplicationError):
    """No call of that id belongs to the organization."""

    message = "The organization has no such call."


@dataclass(frozen=True, slots=True)
class DirectOrder:
    """The requested order. `lines` are as untrusted as those of a model."""

    organization_id: uuid.UUID
    idempotency_key: str
    request_digest: str
    lines: Sequence[Mapping[str, object]]
    call_id: uuid.UUID | None = None
    customer_name: str = ""
    customer_number: str = ""
    note: str = ""

    @property
    def scoped_key(self) -> str:
        """A key is unique in its call: clients count their orders in each call, or use the model's tool call id."""
        return f"{self.call_id}:{self.idempotency_key}" if self.call_id else self.idempotency_key


def place_directly(wish: DirectOrder, *, now: dt.datetime) -> tuple[Order, bool]:
    """The order, and whether it had been placed before.

    Raises Organization.DoesNotExist, NumberRefused, UnknownCall, KeyReused, Refused with a sentence, or NotSaved.
    """
    return retried(lambda: _place(wish, now), what="submit-order")


def _place(wish: DirectOrder, now: dt.datetime) -> tuple[Order, bool]:
    with transaction.atomic():
        organization = lock_organization(wish.organization_id)
        earlier = Order.objects.filter(organization=organization, idempotency_key=wish.scoped_key).first()
        if earlier is not None:
            if earlier.request_digest != wish.request_digest:
                raise KeyReused
            return earlier, True
        call = call_of(organization, wish.call_id)
        _check_takes_orders(organization, now)
        number = number_of(organization, wish.customer_number)
        changes = [{"do": "add", **line} for line in wish.lines]
        view = view_of(organization, 0, apply_changes((), changes, load_catalog(organization.pk, now)))
        large = too_large(view, now=now)
        if large is not None:
            raise Refused(large.say)
        placement = Placement(
            call=call,
            idempotency_key=wish.scoped_key,
            request_digest=wish.request_digest,
            customer_name=wish.customer_name,
            customer_number=number or (read_caller(call.caller_number).number if call else ""),
            note=wish.note,
        )
        try:
            order = place_order(organization, view.lines, view.totals, placement)
        except SoldOut as exc:
            raise Refused(JUST_SOLD_OUT) from exc
        confirm_order(order)
        return order, False


def call_of(organization: Organization, call_id: uuid.UUID | None) -> Call | None:
    """The organization's call of that id, if one is named; raises UnknownCall."""
    if call_id is None:
        return None
    call = Call.objects.filter(organization=organization, pk=call_id).first()
    if call is None:
        raise UnknownCall
    return call


def number_of(organization: Organization, typed: str) -> str:
    """E.164 of a number in the organization's notation; raises NumberRefused."""
    try:
        return read_number(typed, region=organization.region) if typed else ""
    except ValidationError as exc:
        raise NumberRefused(exc.messages[0]) from exc


def _check_takes_orders(organization: Organization, now: dt.datetime) -> None:
    if not organization.takes_orders:
        raise Refused(NO_ORDERS)
    if not is_open(organization, now):
        raise Refused(opening_hours_sentence(organization, now))
