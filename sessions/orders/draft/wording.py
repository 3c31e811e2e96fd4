"""An order as it is said and as it is shown to the model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NotRequired, TypedDict

from agents.catalog.offers import say_price
from sessions.orders.pricing import Totals, say_tax

from .delivery import say_fee
from .lines import Line

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


class ShownLine(TypedDict):
    line: int
    quantity: int
    item: str
    size: str
    modifiers: list[str]
    note: str
    price: str


class ShownOrder(TypedDict):
    """The `order` of a tool's output."""

    version: int
    lines: list[ShownLine]
    subtotal: str
    tax: str
    total: str
    currency: str
    delivery: NotRequired[str]
    delivery_fee: NotRequired[str]


def show_order(lines: Sequence[Line], totals: Totals, *, version: int, currency: str, address: str = "") -> ShownOrder:
    """What a tool returns beside its sentence; `modifiers` are those that differ from the usual."""
    shown = ShownOrder(
        version=version,
        lines=[
            ShownLine(
                line=line.number,
                quantity=line.quantity,
                item=line.item,
                size=line.size,
                modifiers=list(line.said),
                note=line.note,
                price=f"{line.price:.2f}",
            )
            for line in lines
        ],
        subtotal=f"{totals.subtotal:.2f}",
        tax=f"{totals.tax:.2f}",
        total=f"{totals.total:.2f}",
        currency=currency,
    )
    if address:
        shown["delivery"], shown["delivery_fee"] = address, f"{totals.fee:.2f}"
    return shown


def say_lines(lines: Sequence[Line]) -> str:
    """“two large Margheritas with extra cheese, and one Tiramisu”: what is alike is said once."""
    alike: dict[tuple[object, ...], tuple[Line, int]] = {}
    for line in lines:
        quantity = alike[line.what][1] if line.what in alike else 0
        alike[line.what] = (line, quantity + line.quantity)
    said = [say_line(line, quantity) for line, quantity in alike.values()]
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])}, and {said[-1]}"


def say_line(line: Line, quantity: int) -> str:
    """“two large Margheritas with extra cheese and no basil, note: well done”."""
    number = NUMBERS[quantity] if quantity < len(NUMBERS) else str(quantity)
    name = line.item if quantity == 1 else _plural(line.item)
    extras = f" with {' and '.join(_repeated(line.said))}" if line.said else ""
    note = f", with the note {line.note}" if line.note else ""
    return " ".join(f"{number} {line.size} {name}{extras}{note}".split())


def say_total(totals: Totals, currency: str) -> str:
    """“29 euros 70 with tax” where tax was added, “29 euros 70, tax included” where the prices contain it."""
    return f"{say_price(totals.total, currency)}{say_tax(totals)}"


def read_back_sentence(
    lines: Sequence[Line], totals: Totals, currency: str, *, ready: str = "", address: str = ""
) -> str:
    """What the caller must hear before the order is submitted. `ready` is the sentence of when it will be."""
    said = (
        f"I have {say_lines(lines)}.",
        f"It is delivered to {address}. {say_fee(totals.fee, currency)}" if address else "",
        f"The total is {say_total(totals, currency)}.",
        ready,
        "Is that right?",
    )
    return " ".join(filter(None, said))


def _repeated(names: Sequence[str]) -> list[str]:
    """A modifier that is there twice is said as “two times extra cheese”."""
    return [name if names.count(name) == 1 else f"{names.count(name)} times {name}" for name in dict.fromkeys(names)]


def _plural(name: str) -> str:
    last = name[-1:]
    # Only where adding an s cannot be wrong.
    return name + "s" if last.isascii() and last.isalpha() and last not in "sxzhySXZHY" else name
