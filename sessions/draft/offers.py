"""Finds the item and the size that a change names, or says what to ask instead."""

from __future__ import annotations

from agents.offers import Catalogue, ItemOffer, SizeOffer

from .names import closest_names, either, find
from .refusal import Refused


def find_item(name: str, catalogue: Catalogue) -> ItemOffer:
    """The one item that is meant, available now; raises Refused."""
    found = find(name, catalogue.items)
    names = list(dict.fromkeys(item.name for item in found))
    if len(names) > 1:
        raise Refused(f"Do you mean {either(names[:4])}?")
    if not found:
        near = closest_names(name, catalogue.items)
        hint = f" Do you mean {either(near)}?" if near else ""
        raise Refused(f"I cannot find “{name[:60]}” on the menu.{hint}")
    item = next((item for item in found if item.is_available), found[0])
    check_available(item, catalogue)
    return item


def check_available(item: ItemOffer, catalogue: Catalogue) -> None:
    """Raises Refused with an alternative of the same category if the item is out."""
    if not item.is_available:
        alternative = next(
            (other for other in catalogue.items if other.category == item.category and other.is_available), None
        )
        instead = f" Would you like the {alternative.name} instead?" if alternative else ""
        raise Refused(f"The {item.name} is out right now.{instead}")


def find_size(item: ItemOffer, name: str | None) -> SizeOffer | None:
    """The size that is meant, or the usual one; None for an item without sizes. Raises Refused."""
    if not item.sizes:
        if name:
            raise Refused(f"The {item.name} comes in one size only.")
        return None
    usual = [item.usual_size] if item.usual_size else []
    found = find(name, item.sizes) if name else usual
    left = either([size.name for size in item.sizes if size.is_available])
    if len(found) != 1 and not name and len(item.sizes) == 1:
        raise Refused(f"The {item.name} comes as {left} only. Would you like it?")
    if len(found) != 1:
        unknown = f"There is no {name[:40]} {item.name}. " if name and not found else ""
        raise Refused(f"{unknown}Which size of the {item.name}: {left}?")
    check_size_available(item, found[0])
    return found[0]


def check_size_available(item: ItemOffer, size: SizeOffer) -> None:
    """Raises Refused with the sizes that are left."""
    if not size.is_available:
        left = [other.name for other in item.sizes if other.is_available]
        raise Refused(f"The {size.name} {item.name} is out right now. There is {either(left)}.")
