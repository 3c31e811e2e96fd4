"""The draft of a call: its row is locked while it is looked at, and rises by a version with every change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.db.models import F

from agents.catalog.offers import Catalog
from agents.catalog.queries import load_catalog
from agents.organizations.models import Organization
from sessions.calls.models import Call
from sessions.orders.board.times import ready_at_now, ready_sentence
from sessions.orders.draft import Line, Refused, apply_changes, lines_from_json, lines_to_json, refresh
from sessions.orders.draft.delivery import Delivery, delivery_from_json, delivery_to_json
from sessions.orders.draft.wording import ShownOrder, read_back_sentence, say_lines, say_total, show_order
from sessions.orders.models import VOID_STATES, DraftOrder, Order
from sessions.orders.pricing import TaxRule, Totals, totals_of
from voiceapp.core.transactions import ConcurrentUpdate

from .stock import held_by

NO_ORDERS = "We do not take orders on the phone right now."


@dataclass(frozen=True, slots=True)
class DraftView:
    """A version of a draft with its totals, ready to be shown and said."""

    organization: Organization
    version: int
    lines: tuple[Line, ...]
    totals: Totals
    delivery: Delivery | None = None

    def shown(self) -> ShownOrder:
        return show_order(
            self.lines,
            self.totals,
            version=self.version,
            currency=self.organization.currency,
            address=self.delivery.address if self.delivery else "",
        )

    def said(self) -> str:
        if not self.lines:
            return "The order is empty now."
        delivered = ", delivery included" if self.totals.fee else ""
        total = say_total(self.totals, self.organization.currency)
        return f"You have {say_lines(self.lines)}. That is {total}{delivered}."

    def read_back(self, now: dt.datetime) -> str:
        minutes = self.delivery.minutes if self.delivery else None
        ready = ready_sentence(
            self.organization,
            ready_at_now(self.organization, now, drive_minutes=minutes),
            is_delivery=minutes is not None,
        )
        address = self.delivery.address if self.delivery else ""
        return read_back_sentence(self.lines, self.totals, self.organization.currency, ready=ready, address=address)


def change_draft(call: Call, changes: object, *, now: dt.datetime, caller_turns: int | None = None) -> DraftView:
    """Apply the changes to the call's draft, all or none; raises Refused."""
    organization = ordering_organization(call)
    with transaction.atomic():
        draft = lock_draft(call)
        before = lines_from_json(draft.lines)
        after = apply_changes(before, changes, live_catalog(call, now), turn=caller_turns)
        if after != before:
            save_lines(draft, after, now=now)
    return view_of(organization, draft.version, after, delivery_from_json(draft.delivery))


def read_back_draft(
    call: Call, *, caller_turns: int, now: dt.datetime, checked: Callable[[Organization, Delivery], Delivery]
) -> DraftView:
    """Price the draft anew and note that this version is being read back at this turn; raises Refused.

    `checked` returns an address with the terms of now, or raises Refused.
    """
    organization = ordering_organization(call)
    with transaction.atomic():
        draft = lock_draft(call)
        if not draft.lines:
            raise Refused("There is nothing in the order yet. What would you like?")
        before = lines_from_json(draft.lines)
        fresh = refresh(before, live_catalog(call, now))
        if fresh.problems:
            raise Refused(" ".join(fresh.problems))
        if fresh.lines != before:
            save_lines(draft, fresh.lines, now=now)
        delivery = delivery_from_json(draft.delivery)
        if delivery is not None:
            terms = checked(organization, delivery)
            if terms != delivery:
                save_delivery(draft, terms, now=now)
            delivery = terms
        view = view_of(organization, draft.version, fresh.lines, delivery)
        if too_little := too_little_of(view):
            raise Refused(too_little)
        _move(draft, now, read_back_version=draft.version, read_back_turn=caller_turns)
    return view


def ordering_organization(call: Call) -> Organization:
    """The call's organization as it is now; raises Refused when it takes no orders."""
    assert call.organization_id is not None
    organization = Organization.objects.get(pk=call.organization_id)
    if not organization.takes_orders:
        raise Refused(NO_ORDERS)
    return organization


def lock_draft(call: Call) -> DraftOrder:
    """The draft's row, locked until the transaction ends."""
    DraftOrder.objects.get_or_create(call=call)
    return DraftOrder.objects.select_for_update().get(call=call)


def save_lines(draft: DraftOrder, lines: Sequence[Line], *, now: dt.datetime) -> None:
    """Write the lines as the next version, which has not been read back."""
    rows = lines_to_json(lines)
    _move(draft, now, version=F("version") + 1, lines=rows, read_back_version=None, read_back_turn=None)
    draft.version += 1
    draft.lines = rows


def save_delivery(draft: DraftOrder, delivery: Delivery | None, *, now: dt.datetime) -> None:
    """Another address is another version, which has to be read back. None: pickup."""
    row = delivery_to_json(delivery)
    _move(draft, now, version=F("version") + 1, delivery=row, read_back_version=None, read_back_turn=None)
    draft.version += 1
    draft.delivery = row


def too_little_of(view: DraftView) -> str:
    """What the caller hears of an order below the minimum of its address; empty if it is not."""
    if view.delivery is None:
        return ""
    return view.delivery.too_little(view.totals.subtotal, view.organization.currency)


def standing_order(call: Call) -> Order | None:
    """The order that a submission of this call made and that still stands."""
    return (
        Order.objects.filter(call=call, draft_version__isnull=False)
        .exclude(state__in=VOID_STATES)
        .order_by("-draft_version")
        .first()
    )


def live_catalog(call: Call, now: dt.datetime) -> Catalog:
    """The current menu as this call sees it: what its own order holds is still available to it."""
    assert call.organization_id is not None
    standing = standing_order(call)
    return load_catalog(call.organization_id, now, held=held_by(standing) if standing else None)


def draft_view(organization: Organization, draft: DraftOrder) -> DraftView:
    """The draft as its row is."""
    return view_of(organization, draft.version, lines_from_json(draft.lines), delivery_from_json(draft.delivery))


def view_of(
    organization: Organization, version: int, lines: tuple[Line, ...], delivery: Delivery | None = None
) -> DraftView:
    subtotal = sum((line.price for line in lines), Decimal(0))
    fee = delivery.fee_of(subtotal) if delivery else Decimal(0)
    totals = totals_of((line.price for line in lines), tax_rule(organization), fee=fee)
    return DraftView(organization, version, lines, totals, delivery)


def tax_rule(organization: Organization) -> TaxRule:
    return TaxRule(organization.currency, organization.tax_percent, organization.prices_include_tax)


def _move(draft: DraftOrder, now: dt.datetime, **values: object) -> None:
    """A guarded update: no concurrent change is overwritten, also on a database without row locks."""
    if not DraftOrder.objects.filter(pk=draft.pk, version=draft.version).update(updated_at=now, **values):
        raise ConcurrentUpdate
