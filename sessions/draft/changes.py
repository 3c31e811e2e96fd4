"""Changes of a draft: all of them or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agents.offers import Catalogue, ItemOffer, SizeOffer

from .choices import choose, keep, said
from .limits import check_limits
from .lines import Chosen, Line
from .offers import NamedItem, check_available, check_size_available, find_size, read_item
from .refusal import Refused
from .requests import Change, read_change

MOST_CHANGES = 30
MOST_LINES = 40


def apply_changes(lines: Sequence[Line], changes: object, catalogue: Catalogue) -> tuple[Line, ...]:
    """The lines after all the changes, as `changes` came from the model. Raises Refused with nothing changed.

    A line keeps its number as long as it lives, so that changes asked for together mean the same lines.
    """
    if not isinstance(changes, list) or not 1 <= len(changes) <= MOST_CHANGES:
        raise Refused("What should I change in the order?")
    draft = _Draft(lines, catalogue)
    for change in [read_change(raw) for raw in changes]:
        draft.apply(change)
    if len(draft.lines) > MOST_LINES:
        raise Refused(f"An order has at most {MOST_LINES} lines.")
    check_limits(tuple(draft.lines.values()), catalogue, touched=draft.touched)
    return tuple(draft.lines.values())


class _Draft:
    """The lines by number while changes are applied."""

    def __init__(self, lines: Sequence[Line], catalogue: Catalogue) -> None:
        self.lines = {line.number: line for line in lines}
        self.catalogue = catalogue
        self.touched: set[int] = set()
        self.next_number = max(self.lines, default=0) + 1

    def apply(self, change: Change) -> None:
        if change.do == "clear":
            self.lines.clear()
        elif change.do == "add":
            self._add(change)
        else:
            line = self.lines.get(change.line or 0)
            if line is None:
                raise Refused(f"There is no line {change.line} in the order.")
            if change.do == "remove":
                del self.lines[line.number]
            else:
                self._put(self._updated(line, change))

    def _add(self, change: Change) -> None:
        named = read_item(change.item or "", self.catalogue)
        item, quantity = named.item, agreed_quantity(named, change.quantity)
        size = agreed_size(named, change.size, self.catalogue)
        chosen = choose(item, change.modifiers or (), self.catalogue.words, also=named.modifiers)
        line = make_line(item, size, chosen, number=self.next_number, quantity=quantity or 1, note=change.note or "")
        same = next((other for other in self.lines.values() if other.what == line.what), None)
        if same is not None:
            self._put(replace(same, quantity=same.quantity + line.quantity))
        else:
            self.next_number += 1
            self._put(line)

    def _updated(self, line: Line, change: Change) -> Line:
        is_other = change.item is not None
        words = self.catalogue.words
        named = read_item(change.item, self.catalogue) if change.item else NamedItem(item_of(line, self.catalogue))
        item, quantity = named.item, agreed_quantity(named, change.quantity)
        is_other = is_other and item.id != line.item_id
        if change.size or named.size:
            size = agreed_size(named, change.size, self.catalogue)
        elif is_other:
            size = find_size(item, _size_of_same_name(item, line), words)
        else:
            size = size_of(line, item)
        if change.modifiers is not None or named.modifiers:
            chosen = choose(item, change.modifiers or (), words, also=named.modifiers)
        else:
            chosen = choose(item, line.said, words) if is_other else keep(item, line.chosen)
        note = line.note if change.note is None else change.note
        return make_line(item, size, chosen, number=line.number, quantity=quantity or line.quantity, note=note)

    def _put(self, line: Line) -> None:
        self.lines[line.number] = line
        self.touched.add(line.number)


def agreed_quantity(named: NamedItem, quantity: int | None) -> int | None:
    """How many, said in one place or the same in both; raises Refused."""
    if named.quantity and quantity and named.quantity != quantity:
        raise Refused(f"How many {named.item.name} would you like: {quantity} or {named.quantity}?")
    return quantity or named.quantity


def agreed_size(named: NamedItem, size_name: str | None, catalogue: Catalogue) -> SizeOffer | None:
    """The size, said in one place or the same in both; raises Refused."""
    if named.size is None:
        return find_size(named.item, size_name, catalogue.words)
    size = find_size(named.item, size_name, catalogue.words) if size_name else named.size
    if size != named.size:
        raise Refused(f"Which size of the {named.item.name}: {size_name} or {named.size.name}?")
    check_size_available(named.item, named.size)
    return named.size


def make_line(
    item: ItemOffer, size: SizeOffer | None, chosen: tuple[Chosen, ...], *, number: int, quantity: int, note: str
) -> Line:
    """A line of this item at the prices of now."""
    return Line(
        number=number,
        quantity=quantity,
        item_id=item.id,
        item=item.name,
        size_id=size.id if size else None,
        size=size.name if size else "",
        base_price=size.price if size else item.price,
        chosen=chosen,
        said=said(item, chosen),
        note=note,
    )


def item_of(line: Line, catalogue: Catalogue) -> ItemOffer:
    """The item of a line as it is sold now; raises Refused when it is gone or out."""
    item = catalogue.item(line.item_id)
    if item is None:
        raise Refused(f"The {line.item} is no longer on the menu.")
    check_available(item, catalogue)
    return item


def size_of(line: Line, item: ItemOffer) -> SizeOffer | None:
    """The size of a line as it is sold now; raises Refused when it is gone or out."""
    if line.size_id is None and not item.sizes:
        return None
    size = next((size for size in item.sizes if size.id == line.size_id), None)
    if size is None:
        raise Refused(f"The sizes of the {item.name} have changed. Which one would you like?")
    check_size_available(item, size)
    return size


def _size_of_same_name(item: ItemOffer, line: Line) -> str | None:
    return next((size.name for size in item.sizes if size.name == line.size), None)
