"""A menu as callers hear it: what they can buy, at which prices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext

from agents.catalog.models import Item, Menu
from agents.catalog.offers import GroupOffer, ItemOffer, say_item, say_modifier, say_price
from agents.catalog.queries import load_catalog


@dataclass(frozen=True, slots=True)
class ItemPreview:
    """`choices` are sentences: what the agent asks the caller to choose, and what the caller may add."""

    name: str
    sold_as: tuple[str, ...]
    hint: str
    choices: tuple[str, ...]
    is_out: bool


@dataclass(frozen=True, slots=True)
class MenuPreview:
    """`unpriced` are items that are not sold because they have neither a price nor sizes."""

    tax: str
    headings: dict[str, list[ItemPreview]]
    unpriced: tuple[Item, ...]


def preview_of(menu: Menu) -> MenuPreview:
    """The menu as callers hear it now; nothing of an inactive menu."""
    organization = menu.organization
    mine = set(Item.objects.filter(category__menu=menu).values_list("pk", flat=True))
    catalog = load_catalog(organization.pk, timezone.now())
    headings = {
        heading: [preview_item(item, catalog.currency) for item in items if item.id in mine]
        for heading, items in catalog.categories().items()
    }
    unpriced = Item.objects.filter(category__menu=menu, price__isnull=True, sizes__isnull=True)
    return MenuPreview(
        tax=tax_sentence(organization.tax_percent.normalize(), is_included=organization.prices_include_tax),
        headings={heading: items for heading, items in headings.items() if items},
        unpriced=tuple(unpriced),
    )


def tax_sentence(percent: Decimal, *, is_included: bool) -> str:
    """How the prices relate to the tax."""
    if not percent:
        return gettext("No tax is set: callers pay these prices.")
    return (
        gettext("Prices include %(percent)s %% tax.") % {"percent": f"{percent:f}"}
        if is_included
        else gettext("%(percent)s %% tax is added to the total of an order.") % {"percent": f"{percent:f}"}
    )


def preview_item(item: ItemOffer, currency: str) -> ItemPreview:
    """One item, as the agent says it."""
    return ItemPreview(
        name=item.name,
        sold_as=say_item(item, currency) if item.sizes else (say_price(item.price, currency),),
        hint=_size_hint(item),
        choices=tuple(_choices(item, currency)),
        is_out=not item.is_available,
    )


def _size_hint(item: ItemOffer) -> str:
    if not item.sizes:
        return ""
    if item.usual_size is None:
        return gettext("The agent asks for the size.")
    return gettext("Default size: %(usual_size)s.") % {"usual_size": item.usual_size.name}


def _choices(item: ItemOffer, currency: str) -> Iterator[str]:
    none_yet = gettext("no modifiers yet")
    for group in item.all_groups():
        usual = [modifier.name for modifier in group.modifiers if modifier.is_default]
        choices = ", ".join(say_modifier(modifier, currency) for modifier in group.modifiers)
        offered = f"{group.name} ({_rule(group)}): {choices or none_yet}."
        default = gettext("Default: %(modifiers)s.") % {"modifiers": ", ".join(usual)}
        yield f"{offered} {default}" if usual else offered


def _rule(group: GroupOffer) -> str:
    if group.minimum == group.maximum:
        return gettext("exactly %(minimum)s") % {"minimum": group.minimum}
    if not group.minimum:
        return gettext("up to %(maximum)s") % {"maximum": group.maximum}
    return gettext("%(minimum)s to %(maximum)s") % {"minimum": group.minimum, "maximum": group.maximum}
