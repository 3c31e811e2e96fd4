"""Changes many prices of a menu at once, and puts them back."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.organizations.auditing import one_batch
from voiceapp.core.errors import ApplicationError

from .models import Item, Menu, MenuChange, Modifier, Size

CENT, LARGEST = Decimal("0.01"), Decimal("999999.99")


class Ending(enum.StrEnum):
    """What a new price ends with."""

    CENT = "cent"
    WHOLE = "00"
    HALF = "50"
    NINETY = "90"

    @property
    def label(self) -> str:
        return {"cent": gettext("Any cent"), "00": ".00", "50": ".00 or .50", "90": ".90"}[self.value]


@dataclass(frozen=True, slots=True)
class PriceRule:
    """`percent` or `amount` is added; both may be negative. Empty `categories`: all. `size`: only sizes of that name.

    `with_modifiers` also changes what modifiers add, where it is not 0.
    """

    percent: Decimal = Decimal(0)
    amount: Decimal = Decimal(0)
    ending: Ending = Ending.CENT
    categories: frozenset[int] = frozenset()
    size: str = ""
    with_modifiers: bool = False

    def apply(self, price: Decimal) -> Decimal:
        """Never below 0; a price of 0 stays."""
        if not price:
            return price
        new = price + price * self.percent / 100 + self.amount
        return min(max(rounded(new, self.ending), Decimal("0.00")), LARGEST)

    def says(self) -> str:
        """“+5 %”, “−0.50”"""
        return f"{self.percent:+f} %" if self.percent else f"{self.amount:+.2f}"


@dataclass(frozen=True, slots=True)
class NewPrice:
    """`row` is an item, a size or a modifier, not saved with the new price."""

    kind: str
    row: Item | Size | Modifier
    label: str
    old: Decimal
    new: Decimal


class PricesChanged(ApplicationError):
    message = _(
        "These are not the prices of the preview any more: the menu or the choice above was changed. Nothing was "
        "saved: check them once more."
    )


def rounded(price: Decimal, ending: Ending) -> Decimal:
    """To the nearest price with that ending, upwards from the middle."""
    if ending is Ending.NINETY:
        return max((price - Decimal("0.90")).quantize(Decimal(1), ROUND_HALF_UP), Decimal(0)) + Decimal("0.90")
    if ending is Ending.HALF:
        return ((price * 2).quantize(Decimal(1), ROUND_HALF_UP) / 2).quantize(CENT)
    step = Decimal(1) if ending is Ending.WHOLE else CENT
    return price.quantize(step, ROUND_HALF_UP).quantize(CENT)


def new_prices(menu: Menu, rule: PriceRule) -> list[NewPrice]:
    """What the rule changes, in the order of the menu. Saves nothing."""
    found = [NewPrice(kind, row, label, old, rule.apply(old)) for kind, row, label, old in _priced(menu, rule)]
    return [each for each in found if each.new != each.old]


def digest_of(prices: Iterable[NewPrice]) -> str:
    """Another one if any of these prices, old or new, is another one."""
    lines = [(each.kind, each.row.pk, f"{each.old:.2f}", f"{each.new:.2f}") for each in prices]
    return hashlib.sha256(repr(lines).encode()).hexdigest()


@transaction.atomic
def change_prices(menu: Menu, rule: PriceRule, *, by: str, digest: str) -> list[NewPrice]:
    """Save what a person has confirmed. Raises PricesChanged if it is no longer what they saw."""
    Menu.objects.select_for_update().get(pk=menu.pk)
    prices = new_prices(menu, rule)
    if digest_of(prices) != digest:
        raise PricesChanged
    entries = []
    with one_batch():
        for each in prices:
            # Guarded: a price that somebody else saves in between is not overwritten unseen.
            if not _rows(each.row).filter(pk=each.row.pk, price=each.old).update(price=each.new):
                raise PricesChanged
            entries.append(
                {"kind": each.kind, "id": each.row.pk, "name": each.label, "column": "price", "old": f"{each.old:.2f}",
                 "new": f"{each.new:.2f}"}
            )  # fmt: skip
    MenuChange.objects.create(
        menu=menu, title=gettext("Prices %(says)s") % {"says": rule.says()}, made_by=by[:150], entries=entries
    )
    return prices


@transaction.atomic
def undo_prices(change: MenuChange, *, by: str) -> tuple[int, list[str]]:
    """Put the old prices back where the price is still the new one; how many, and the names of the others.

    Raises ApplicationError if that was done already.
    """
    won = MenuChange.objects.filter(pk=change.pk, undone_at__isnull=True)
    if not won.update(undone_at=timezone.now(), undone_by=by[:150]):
        raise ApplicationError(gettext("These prices were put back already."))
    with one_batch():
        return _put_back(change)


def _put_back(change: MenuChange) -> tuple[int, list[str]]:
    back, others = 0, []
    models: dict[str, Any] = {"item": Item, "size": Size, "modifier": Modifier}
    for entry in change.entries:
        if entry["column"] != "price" or entry["kind"] not in models:
            continue
        rows = models[entry["kind"]].objects.filter(pk=entry["id"], price=entry["new"] or None)
        if rows.update(price=entry["old"] or None):
            back += 1
        else:
            others.append(entry["name"])
    return back, others


def _rows(row: Item | Size | Modifier) -> QuerySet[Any]:
    return type(row)._default_manager.all()


def _priced(menu: Menu, rule: PriceRule) -> Iterator[tuple[str, Item | Size | Modifier, str, Decimal]]:
    items = Item.objects.filter(category__menu=menu).select_related("category")
    items = items.order_by("category__position", "category", "position", "id")
    if rule.categories:
        items = items.filter(category__in=rule.categories)
    for item in items.prefetch_related("sizes"):
        if item.price is not None and not rule.size:
            yield "item", item, f"{item.category.name} › {item.name}", item.price
        for size in item.sizes.all():
            if not rule.size or size.name.casefold() == rule.size.casefold():
                yield "size", size, f"{item.category.name} › {item.name} › {size.name}", size.price
    if rule.with_modifiers:
        for modifier in Modifier.objects.filter(group__menu=menu).select_related("group"):
            yield "modifier", modifier, f"{modifier.group.name} › {modifier.name}", modifier.price
