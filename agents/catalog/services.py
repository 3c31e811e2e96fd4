"""One price per thing that callers can buy: the own price of an item with sizes becomes the price of a size."""

from __future__ import annotations

import datetime as dt
import itertools
from decimal import Decimal

from django.db.models import Case, F, PositiveIntegerField, Value, When
from django.utils.translation import gettext

from voiceapp.core.errors import ApplicationError

from .models import Item, Modifier, Size

# Names that a size gets which a person did not name; the first that no other size of the item has.
STANDARD_NAMES = ("standard", "regular", "normal", "single")


def settle_price(item: Item, *, was_typed: bool) -> str:
    """Give the item's own price to a size when the item has sizes. Returns a sentence on the change, or nothing.

    A price that one of the sizes has needs no size. Any other becomes a size of its own, the default if there is
    none: what a person wrote stays on sale, under a name. Only a price that was not typed now (`was_typed`), beside a
    default size, is dropped: it was never charged.
    """
    sizes = list(Size.objects.filter(item=item))  # the item may come with those it had before they were saved
    if item.price is None or not sizes:
        return ""
    price, has_default = item.price, any(size.is_default for size in sizes)
    Item.objects.filter(pk=item.pk).update(price=None)
    item.price = None
    if price == 0 or any(size.price == price for size in sizes):
        return ""
    if has_default and not was_typed:
        return gettext("%(item)s is sold in its sizes: its own price, %(price)s, was never charged and is gone.") % {
            "item": item.name,
            "price": f"{price:.2f}",
        }
    size = _add_size(item, sizes, name=_free_name(sizes), price=price, is_default=not has_default)
    return gettext(
        "%(item)s has sizes now, so %(price)s became the price of the size “%(size)s”. Give it the "
        "name that callers use."
    ) % {"item": item.name, "price": f"{price:.2f}", "size": size.name}


def _add_size(item: Item, sizes: list[Size], *, name: str, price: Decimal, is_default: bool) -> Size:
    position = min(size.position for size in sizes)
    for size in sizes:
        Size.objects.filter(pk=size.pk).update(position=size.position + 1)
    return Size.objects.create(item=item, name=name, price=price, is_default=is_default, position=position)


def _free_name(sizes: list[Size]) -> str:
    taken = {form.casefold() for size in sizes for form in (size.name, *size.spoken_forms)}
    names = itertools.chain(
        STANDARD_NAMES, ((gettext("size %(number)s") % {"number": number}) for number in itertools.count(2))
    )
    return next(name for name in names if name not in taken)


Sellable = Item | Size | Modifier


def mark_sold_out(sellable: Sellable, *, until: dt.datetime | None = None) -> None:
    """Not sold from now on: until that time, or until somebody makes it available again. Live calls notice."""
    type(sellable)._default_manager.filter(pk=sellable.pk).update(is_out=until is None, out_until=until)
    sellable.refresh_from_db(fields=["is_out", "out_until"])


def mark_available(sellable: Sellable) -> None:
    """Sold again. A count that had reached zero is no longer counted."""
    type(sellable)._default_manager.filter(pk=sellable.pk).update(
        is_out=False,
        out_until=None,
        count_left=Case(
            When(count_left=0, then=Value(None)), default=F("count_left"), output_field=PositiveIntegerField(null=True)
        ),
    )
    sellable.refresh_from_db(fields=["is_out", "out_until", "count_left"])


def count_left(sellable: Sellable, *, left: int | None) -> None:
    """Say how many are left; every order lowers it. None: not counted any more."""
    if left is not None and left < 0:
        raise ApplicationError(gettext("The number left cannot be negative."))
    type(sellable)._default_manager.filter(pk=sellable.pk).update(count_left=left)
    sellable.refresh_from_db(fields=["count_left"])
