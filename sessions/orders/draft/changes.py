"""Changes of a draft, all of them or none; and the draft checked again with the current menu."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import msgspec

from agents.catalog.offers import Catalog, ItemOffer, SizeOffer

from .choices import choose, keep, said
from .lines import Chosen, Line, Refused, check_limits
from .offers import check_available, check_size_available, find_item, find_size
from .requests import Add, Change, Clear, Remove, Update, read_change
from .wishes import ItemWish, same_name

MOST_CHANGES = 30
MOST_LINES = 40

# A change that names an item.
W = TypeVar("W", Add, Update)


def apply_changes(
    lines: Sequence[Line], changes: object, catalog: Catalog, *, turn: int | None = None
) -> tuple[Line, ...]:
    """The lines after all the changes, as `changes` came from the model. Raises Refused with nothing changed.

    A line keeps its number as long as it lives, so that changes of one request mean the same lines. `turn` is the
    caller's latest one, in which what is put in now was said.
    """
    if not isinstance(changes, list) or not 1 <= len(changes) <= MOST_CHANGES:
        raise Refused("What should I change in the order?")
    draft = _Draft(lines, catalog, turn)
    for change in [read_change(raw) for raw in changes]:
        draft.apply(change)
    if len(draft.lines) > MOST_LINES:
        raise Refused(f"An order has at most {MOST_LINES} lines.")
    check_limits(tuple(draft.lines.values()), catalog, touched=draft.touched)
    return tuple(draft.lines.values())


class _Draft:
    """The lines by number while changes are applied."""

    def __init__(self, lines: Sequence[Line], catalog: Catalog, turn: int | None) -> None:
        self.lines = {line.number: line for line in lines}
        self.catalog = catalog
        self.turn = turn
        self.touched: set[int] = set()
        self.next_number = max(self.lines, default=0) + 1

    def apply(self, change: Change) -> None:
        if isinstance(change, Clear):
            self.lines.clear()
        elif isinstance(change, Add):
            self._add(change)
        else:
            line = self.lines.get(change.line)
            if line is None:
                raise Refused(f"There is no line {change.line} in the order.")
            if isinstance(change, Remove):
                del self.lines[line.number]
            else:
                self._put(self._updated(line, change))

    def _add(self, change: Add) -> None:
        wish = find_item(change.item, self.catalog)
        item, change = wish.item, self._combined(change, wish)
        size = find_size(item, change.size, self.catalog.words)
        chosen = choose(item, change.modifiers or (), self.catalog.words)
        line = make_line(
            item, size, chosen, number=self.next_number, quantity=change.quantity or 1, note=change.note or ""
        )
        same = next((other for other in self.lines.values() if other.what == line.what), None)
        if same is not None:
            self._put(replace(same, quantity=same.quantity + line.quantity))
        else:
            self.next_number += 1
            self._put(replace(line, said_turn=self.turn))

    def _updated(self, line: Line, change: Update) -> Line:
        item, change = self._item_of_update(line, change)
        is_other = item.id != line.item_id
        words = self.catalog.words
        if change.size or is_other:
            size = find_size(item, change.size or (_size_of_same_name(item, line)), words)
        else:
            size = size_of(line, item)
        if change.modifiers is not None:
            chosen = choose(item, change.modifiers, words)
        else:
            chosen = choose(item, line.said, words) if is_other else keep(item, line.chosen)
        note = line.note if change.note is None else change.note
        updated = make_line(
            item, size, chosen, number=line.number, quantity=change.quantity or line.quantity, note=note
        )
        return replace(updated, said_turn=self.turn if is_other else line.said_turn)

    def _item_of_update(self, line: Line, change: Update) -> tuple[ItemOffer, Update]:
        """The item that the line shall be, and all that was said of it. Of namesakes the one that the line is stays."""
        if not change.item:
            return item_of(line, self.catalog), change
        if same_name(change.item, line.item):
            return item_of(line, self.catalog), change
        wish = find_item(change.item, self.catalog)
        return wish.item, self._combined(change, wish, kept=line.said)

    def _combined(self, change: W, wish: ItemWish, *, kept: Sequence[str] = ()) -> W:
        """The change with what the item's phrase says besides the item; raises Refused where the two differ."""
        item = wish.item
        if None not in (change.quantity, wish.quantity) and change.quantity != wish.quantity:
            raise Refused(f"How many of the {item.name} would you like: {wish.quantity} or {change.quantity}?")
        if change.size and wish.size is not None:
            other = find_size(item, change.size, self.catalog.words)
            if other is not None and other.id != wish.size.id:
                raise Refused(f"Which size of the {item.name} would you like: {wish.size.name} or {other.name}?")
        given: Sequence[str] = kept if change.modifiers is None else change.modifiers
        more: list[str] = [text for text in wish.modifiers if not any(same_name(text, other) for other in given)]
        return msgspec.structs.replace(
            change,
            quantity=wish.quantity or change.quantity,
            size=wish.size.name if wish.size else change.size,
            modifiers=(*given, *more) if wish.modifiers else change.modifiers,
        )

    def _put(self, line: Line) -> None:
        self.lines[line.number] = line
        self.touched.add(line.number)


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


def item_of(line: Line, catalog: Catalog) -> ItemOffer:
    """The item of a line as it is sold now; raises Refused when it is gone or out."""
    item = catalog.item(line.item_id)
    if item is None:
        raise Refused(f"The {line.item} is no longer on the menu.")
    check_available(item, catalog)
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


@dataclass(frozen=True, slots=True)
class Refreshed:
    """The lines at the prices of now; sentences on what has changed, and on what cannot be had any more."""

    lines: tuple[Line, ...]
    changed: tuple[str, ...]
    problems: tuple[str, ...]


def refresh(lines: Sequence[Line], catalog: Catalog) -> Refreshed:
    """Price every line anew. One that cannot be had stays as it was: the caller decides what becomes of it."""
    now: list[Line] = []
    changed: list[str] = []
    problems: list[str] = []
    for line in lines:
        try:
            item = item_of(line, catalog)
            size = size_of(line, item)
            chosen = keep(item, line.chosen)
        except Refused as refusal:
            problems.append(refusal.say)
            now.append(line)
            continue
        fresh = make_line(item, size, chosen, number=line.number, quantity=line.quantity, note=line.note)
        now.append(replace(fresh, said_turn=line.said_turn))
        if fresh.unit_price != line.unit_price:
            changed.append(f"The price of the {fresh.size} {fresh.item} has changed.".replace("  ", " "))
    if not problems:
        try:
            check_limits(now, catalog)
        except Refused as refusal:
            problems.append(refusal.say)
    return Refreshed(tuple(now), tuple(dict.fromkeys(changed)), tuple(dict.fromkeys(problems)))
