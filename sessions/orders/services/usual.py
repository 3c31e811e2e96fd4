"""What a returning caller usually orders: read from the number's earlier orders, never kept anywhere else.

Items, prices and availability are those of now. A hidden number, and one that anybody can write (SIP), is nobody's.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from django.db import transaction

from agents.catalog.offers import Catalog, ItemOffer
from agents.organizations.models import Organization
from agents.privacy.models import privacy_settings_of
from sessions.calls.models import Call
from sessions.messages.texts.services.checking import number_of
from sessions.orders.draft import Chosen, Line, Refused, lines_from_json, refresh
from sessions.orders.draft.lines import check_limits
from sessions.orders.draft.wording import say_lines
from sessions.orders.models import VOID_STATES, CallerNotRemembered, Order, OrderLine, OrderModifier

from .drafts import DraftView, draft_view, live_catalog, lock_draft, ordering_organization, save_lines

# What somebody ordered longer ago is nothing usual.
WITHIN = dt.timedelta(days=365)
LOOKED_AT = 10
NOTHING_USUAL = "I have no earlier order of yours. What would you like?"
IN_ALREADY = "That is in your order already."
FORGOTTEN = "I will not look up your earlier orders any more."
NO_NUMBER = "I do not see your number, so I know nothing of earlier orders."


def usual_lines(call: Call, *, now: dt.datetime) -> list[OrderLine]:
    """Those of the order that the caller has placed most often, of several the latest; raises Refused without one."""
    organization = ordering_organization(call)
    number = number_of(call)
    if not number or not is_remembered(organization, number):
        raise Refused(NOTHING_USUAL)
    orders = (
        Order.objects.filter(organization=organization, customer_number=number, call__isnull=False)
        .filter(created_at__gt=now - WITHIN)
        .exclude(state__in=VOID_STATES)
        .exclude(call=call)
        .prefetch_related("lines__modifiers__parent")
        .order_by("-created_at")[:LOOKED_AT]
    )
    alike: dict[object, Sequence[OrderLine]] = {}
    times: Counter[object] = Counter()
    for order in orders:
        lines = list(order.lines.all())
        what = frozenset(map(_what, lines))
        times[what] += 1
        alike.setdefault(what, lines)  # the latest of them
    if not times:
        raise Refused(NOTHING_USUAL)
    most = max(times.values())
    return list(alike[next(what for what in alike if times[what] == most)])


def remembers_callers(organization: Organization) -> bool:
    return privacy_settings_of(organization).remembers_callers


def is_remembered(organization: Organization, number: str) -> bool:
    if not remembers_callers(organization):
        return False
    return not CallerNotRemembered.objects.filter(organization=organization, number=number).exists()


def say_usual(call: Call, *, now: dt.datetime) -> str:
    """What it would be now, with what cannot be had; raises Refused."""
    lines, problems = _as_now(usual_lines(call, now=now), live_catalog(call, now))
    if not lines:
        raise Refused(" ".join([*problems, "What would you like?"]))
    return " ".join([f"That is {say_lines(lines)}.", *problems])


def take_usual(call: Call, *, now: dt.datetime, caller_turns: int | None = None) -> tuple[DraftView, list[str]]:
    """The draft with it, and sentences on what cannot be had; raises Refused where nothing of it can."""
    organization = ordering_organization(call)
    with transaction.atomic():
        draft = lock_draft(call)
        catalog = live_catalog(call, now)
        wanted, problems = _as_now(usual_lines(call, now=now), catalog)
        if not wanted:
            raise Refused(" ".join([*problems, "What would you like instead?"]))
        before = lines_from_json(draft.lines)
        there = {line.what for line in before}
        fresh = [line for line in wanted if line.what not in there]
        if not fresh:
            raise Refused(IN_ALREADY)
        first = max((line.number for line in before), default=0) + 1
        added = [replace(line, number=first + place, said_turn=caller_turns) for place, line in enumerate(fresh)]
        check_limits([*before, *added], catalog)
        save_lines(draft, [*before, *added], now=now)
    return draft_view(organization, draft), problems


def forget(call: Call) -> str:
    """The caller does not want to be remembered: from now on nothing is looked up by that number."""
    number = number_of(call)
    if not number or call.organization is None:
        raise Refused(NO_NUMBER)
    CallerNotRemembered.objects.get_or_create(organization=call.organization, number=number)
    return FORGOTTEN


def _what(line: OrderLine) -> object:
    modifiers = frozenset((each.modifier_id, each.quantity) for each in line.modifiers.all())
    return line.item_id, line.size_id, line.quantity, modifiers


def _as_now(rows: Sequence[OrderLine], catalog: Catalog) -> tuple[list[Line], list[str]]:
    """What can be had of them, at the prices of now; a sentence for each that cannot."""
    lines: list[Line] = []
    problems: list[str] = []
    for number, row in enumerate(rows, 1):
        item = catalog.item(row.item_id) if row.item_id is not None else None
        if item is None:
            problems.append(f"The {row.item} is no longer on the menu.")
            continue
        checked = refresh((_line(number, row, item),), catalog)
        if checked.problems:
            problems += checked.problems
        else:
            lines += checked.lines
    return lines, list(dict.fromkeys(problems))


def _line(number: int, row: OrderLine, item: ItemOffer) -> Line:
    return Line(
        number=number,
        quantity=row.quantity,
        item_id=item.id,
        item=row.item,
        size_id=row.size_id,
        size=row.size,
        base_price=row.unit_price,
        chosen=tuple(_chosen(each, item) for each in row.modifiers.all()),
    )


def _chosen(row: OrderModifier, item: ItemOffer) -> Chosen:
    """A choice whose group the item no longer has is in none, which `refresh` refuses by its name."""
    groups = (group for group in item.all_groups() if any(each.id == row.modifier_id for each in group.modifiers))
    group = next(groups, None)
    return Chosen(
        group_id=group.id if group else 0,
        modifier_id=row.modifier_id or 0,
        under=row.parent.modifier_id if row.parent else None,
        group=row.group,
        name=row.name,
        price=row.price,
        quantity=row.quantity,
    )
