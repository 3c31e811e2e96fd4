"""Groups whose choice cannot be made, prices that are none, and what is never sold."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping

from django.utils.translation import gettext

from agents.catalog.offers import GroupOffer, ItemOffer, ModifierOffer
from agents.hours.schedule import Schedule

from .finding import Finding, Fix, Rule, Severity

DAYS_AHEAD = 8


def groups_not_met(items: Iterable[ItemOffer]) -> Iterator[Finding]:
    """Required groups with too few modifiers; a modifier whose own groups cannot be met counts as none."""
    seen: set[int] = set()
    for item in items:
        for group in item.all_groups():
            if group.id not in seen:
                seen.add(group.id)
                yield from _group(group)


def can_be_met(group: GroupOffer) -> bool:
    """Whether a caller can choose as many different ones as are required."""
    return group.minimum <= len([modifier for modifier in group.modifiers if can_be_chosen(modifier)])


def can_be_chosen(modifier: ModifierOffer) -> bool:
    return modifier.is_available and all(map(can_be_met, modifier.groups))


def _group(group: GroupOffer) -> Iterator[Finding]:
    able = [modifier for modifier in group.modifiers if can_be_chosen(modifier)]
    if group.minimum > len(able):
        yield _not_met(group, able)
    defaults = [modifier for modifier in group.modifiers if modifier.is_default]
    if len(defaults) > group.maximum:
        text = gettext("%(group)s has %(number)s defaults, but at most %(maximum)s can be chosen. Clear some.") % {
            "group": group.name,
            "number": len(defaults),
            "maximum": group.maximum,
        }
        yield Finding(Rule.GROUP_DEFAULTS, Severity.PROBLEM, text, "modifiergroup", group.id, "maximum")


def _not_met(group: GroupOffer, able: list[ModifierOffer]) -> Finding:
    if not group.modifiers:
        why = gettext("it has no modifiers")
    elif not able and not any(modifier.is_available for modifier in group.modifiers):
        why = gettext("all of its modifiers are sold out")
    elif len(group.modifiers) < group.minimum:
        why = gettext("it has only %(number)s") % {"number": len(group.modifiers)}
    elif sum(modifier.is_available for modifier in group.modifiers) >= group.minimum:
        why = gettext("the groups that follow its modifiers cannot be met")
    else:
        why = gettext("only %(number)s of its modifiers can be chosen now") % {"number": len(able)}
    text = gettext("%(group)s requires %(minimum)s, but %(why)s: nothing that it belongs to can be ordered.") % {
        "group": group.name,
        "minimum": group.minimum,
        "why": why,
    }
    fix = Fix(
        "lower-minimum",
        gettext("Require %(number)s only") % {"number": len(able)},
        "modifiergroup",
        group.id,
        str(len(able)),
    )
    return Finding(Rule.GROUP_CANNOT_BE_MET, Severity.PROBLEM, text, "modifiergroup", group.id, "minimum", fix)


def unused_groups(groups: Iterable[tuple[int, str]]) -> Iterator[Finding]:
    """Of (id, name)."""
    for pk, name in groups:
        text = gettext("%(name)s belongs to no item and follows no modifier: the agent never asks for it.") % {
            "name": name
        }
        yield Finding(Rule.GROUP_NOT_ASKED, Severity.NOTE, text, "modifiergroup", pk, "items")


def prices(items: Iterable[ItemOffer], unpriced: Iterable[int]) -> Iterator[Finding]:
    without = set(unpriced)
    for item in items:
        if item.id in without:
            text = gettext("%(item)s has neither a price nor sizes: it is not sold.") % {"item": item.name}
            yield Finding(Rule.NO_PRICE, Severity.PROBLEM, text, "item", item.id, "price")
        elif not item.sizes and not item.price:
            text = gettext("%(item)s costs 0.00: callers get it for nothing. Enter its price.") % {"item": item.name}
            yield Finding(Rule.PRICE_ZERO, Severity.WARNING, text, "item", item.id, "price")
        for size in item.sizes:
            if not size.price:
                text = gettext("%(item)s, %(size)s, costs 0.00: callers get it for nothing. Enter its price.") % {
                    "item": item.name,
                    "size": size.name,
                }
                yield Finding(Rule.PRICE_ZERO, Severity.WARNING, text, "item", item.id, "sizes-group")


def never_sold(
    items: Iterable[ItemOffer], servings: Mapping[int, Schedule], opening: Schedule, now: dt.datetime
) -> Iterator[Finding]:
    """`servings`: when the items are sold that are not always."""
    overlaps: dict[int, bool] = {}
    for item in items:
        serving = servings.get(item.id)
        if serving is not None:
            key = id(serving)
            overlaps[key] = overlaps.get(key, False) or _overlap(serving, opening, now)
            if not overlaps[key]:
                text = gettext("%(item)s is sold %(served)s, when the agent takes no calls: nobody can order it.") % {
                    "item": item.name,
                    "served": item.served,
                }
                yield Finding(Rule.NEVER_SOLD, Severity.PROBLEM, text, "item", item.id, "daypart")
        if item.most_per_order == 0:
            text = gettext("%(item)s has a maximum of 0 per order: nobody can order it.") % {"item": item.name}
            yield Finding(Rule.NEVER_SOLD, Severity.PROBLEM, text, "item", item.id, "most_per_order")


def sold_out(items: Iterable[tuple[int, str]]) -> Iterator[Finding]:
    """Of (id, name): without a time at which it is sold again."""
    for pk, name in items:
        text = gettext("%(name)s is sold out until somebody marks it as available.") % {"name": name}
        fix = Fix("mark-available", gettext("Available"), "item", pk)
        yield Finding(Rule.SOLD_OUT, Severity.NOTE, text, "item", pk, "is_out", fix)


def _overlap(one: Schedule, other: Schedule, now: dt.datetime) -> bool:
    """Whether both are on at some time of the next days."""
    today = now.astimezone(one.zone).date()
    days = [today + dt.timedelta(days=number) for number in range(-1, DAYS_AHEAD)]
    spans, others = ([span for day in days for span in each.spans_of(day)] for each in (one, other))
    return any(
        begins < other_ends and other_begins < ends for begins, ends in spans for other_begins, other_ends in others
    )
