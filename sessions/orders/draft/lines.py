"""The lines of a draft as values and as JSON, their limits, and Refused: how the draft rejects a change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NotRequired, TypedDict

from agents.catalog.offers import Catalog, Counted, ItemOffer, Offer


class Refused(Exception):
    """Nothing was changed; the message is a sentence that the model can say to the caller."""

    @property
    def say(self) -> str:
        return str(self)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A modifier that a line has. `under` is the modifier above it, None for one of the item itself."""

    group_id: int
    modifier_id: int
    under: int | None
    group: str
    name: str
    price: Decimal
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `number` names it for the model and never changes; `said` is how its choices differ from the usual.

    `said_turn`: the caller's turn in which its item was put in; it makes no difference between lines.
    """

    number: int
    quantity: int
    item_id: int
    item: str
    size_id: int | None
    size: str
    base_price: Decimal
    chosen: tuple[Chosen, ...] = ()
    said: tuple[str, ...] = ()
    note: str = ""
    said_turn: int | None = field(default=None, compare=False)

    @property
    def unit_price(self) -> Decimal:
        return self.base_price + sum((pick.price * pick.quantity for pick in self.chosen), Decimal(0))

    @property
    def price(self) -> Decimal:
        return self.unit_price * self.quantity

    @property
    def what(self) -> tuple[object, ...]:
        """What makes two lines the same thing: all but the number and the quantity."""
        return (self.item_id, self.size_id, self.chosen, self.note)


class ChosenJson(TypedDict):
    group_id: int
    modifier_id: int
    under: int | None
    group: str
    name: str
    price: str
    quantity: int


class LineJson(TypedDict):
    number: int
    quantity: int
    item_id: int
    item: str
    size_id: int | None
    size: str
    base_price: str
    chosen: list[ChosenJson]
    said: list[str]
    note: str
    said_turn: NotRequired[int | None]


def lines_to_json(lines: Iterable[Line]) -> list[LineJson]:
    """What the draft's row keeps; prices as text, so that no float comes between."""
    return [
        LineJson(
            number=line.number,
            quantity=line.quantity,
            item_id=line.item_id,
            item=line.item,
            size_id=line.size_id,
            size=line.size,
            base_price=str(line.base_price),
            chosen=[
                ChosenJson(
                    group_id=pick.group_id,
                    modifier_id=pick.modifier_id,
                    under=pick.under,
                    group=pick.group,
                    name=pick.name,
                    price=str(pick.price),
                    quantity=pick.quantity,
                )
                for pick in line.chosen
            ],
            said=list(line.said),
            note=line.note,
            said_turn=line.said_turn,
        )
        for line in lines
    ]


def lines_from_json(rows: Sequence[LineJson]) -> tuple[Line, ...]:
    """The lines that `lines_to_json` wrote."""
    return tuple(
        Line(
            number=row["number"],
            quantity=row["quantity"],
            item_id=row["item_id"],
            item=row["item"],
            size_id=row["size_id"],
            size=row["size"],
            base_price=Decimal(row["base_price"]),
            chosen=tuple(
                Chosen(
                    group_id=pick["group_id"],
                    modifier_id=pick["modifier_id"],
                    under=pick["under"],
                    group=pick["group"],
                    name=pick["name"],
                    price=Decimal(pick["price"]),
                    quantity=pick["quantity"],
                )
                for pick in row["chosen"]
            ),
            said=tuple(row["said"]),
            note=row["note"],
            said_turn=row.get("said_turn"),
        )
        for row in rows
    )


def counted(lines: Iterable[Line]) -> Counter[Counted]:
    """How many of each item, size and modifier the lines take."""
    taken: Counter[Counted] = Counter()
    for line in lines:
        taken[Counted("item", line.item_id)] += line.quantity
        if line.size_id is not None:
            taken[Counted("size", line.size_id)] += line.quantity
        for pick in line.chosen:
            taken[Counted("modifier", pick.modifier_id)] += pick.quantity * line.quantity
    return taken


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
