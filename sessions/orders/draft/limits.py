"""How many of a thing one order may have, and how many are left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agents.catalog.offers import Catalog, Counted, ItemOffer, Offer

from .lines import Line, counted
from .refusal import Refused


def check_limits(lines: Sequence[Line], catalog: Catalog, *, touched: set[int] | None = None) -> None:
    """Raises Refused when the whole order takes more than there is of what the touched lines (None: all) have."""
    taken = counted(lines)
    for line in lines:
        item = catalog.item(line.item_id)
        if item is None or (touched is not None and line.number not in touched):
            continue
        if taken[Counted("item", item.id)] > item.most_per_order:
            raise Refused(f"I can take at most {item.most_per_order} of the {item.name} in one order.")
        for kind, offer in _offers(line, item):
            if offer.count_left is not None and taken[Counted(kind, offer.id)] > offer.count_left:
                raise Refused(_few_left(offer))


def _offers(line: Line, item: ItemOffer) -> Iterator[tuple[str, Offer]]:
    """What the line is made of, as far as it is still sold."""
    yield "item", item
    yield from (("size", size) for size in item.sizes if size.id == line.size_id)
    picked = {pick.modifier_id for pick in line.chosen}
    for group in item.all_groups():
        yield from (("modifier", modifier) for modifier in group.modifiers if modifier.id in picked)


def _few_left(offer: Offer) -> str:
    if offer.count_left == 1:
        return f"There is only one {offer.name} left."
    return (
        f"There are only {offer.count_left} of {offer.name} left."
        if offer.count_left
        else f"{offer.name} is out right now."
    )
