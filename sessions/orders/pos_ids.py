"""What a point of sale calls the lines of orders: by the menu as it is now, so that a corrected ID holds for all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from agents.catalog.models import Item, Modifier, Size

from .models import OrderLine


def with_pos_ids(lines: Iterable[OrderLine]) -> list[OrderLine]:
    """The lines, each and each of its modifiers with its `pos_id`: of a size, else of the item. Three queries."""
    lines = list(lines)
    items = _ids(Item, {line.item_id for line in lines})
    sizes = _ids(Size, {line.size_id for line in lines})
    modifiers = _ids(Modifier, {each.modifier_id for line in lines for each in line.modifiers.all()})
    for line in lines:
        line.pos_id = sizes.get(line.size_id) or items.get(line.item_id, "")
        for each in line.modifiers.all():
            each.pos_id = modifiers.get(each.modifier_id, "")
    return lines


def _ids(model: type[Item | Size | Modifier], ids: set[int | None]) -> Mapping[int | None, str]:
    found = model._default_manager.filter(pk__in=ids - {None}).exclude(pos_id="")
    return dict(found.values_list("pk", "pos_id"))
