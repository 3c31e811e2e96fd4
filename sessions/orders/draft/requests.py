"""One change as the model asked for it, checked: what it sent is taken for hostile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeGuard

from .choices import MOST_MODIFIERS
from .names import LONGEST_NAME
from .refusal import Refused

LONGEST_NOTE = 200
# More than any menu's own limit; keeps numbers that no column holds away from the arithmetic.
HUGE = 10_000
KEYS = {
    "add": {"do", "item", "size", "quantity", "modifiers", "note"},
    "update": {"do", "line", "item", "size", "quantity", "modifiers", "note"},
    "remove": {"do", "line"},
    "clear": {"do"},
}
MONEY_WORDS = ("price", "total", "tax", "discount", "cost", "amount", "free")


@dataclass(frozen=True, slots=True)
class Change:
    """A checked change; None is what was not given."""

    do: str
    line: int | None = None
    item: str | None = None
    size: str | None = None
    quantity: int | None = None
    modifiers: tuple[str, ...] | None = None
    note: str | None = None


def read_change(raw: object) -> Change:
    """The change in `raw`, of the shape that the tool's schema describes; raises Refused."""
    do = raw.get("do") if isinstance(raw, dict) else None
    if not isinstance(raw, dict) or not isinstance(do, str) or do not in KEYS:
        raise Refused("I can add, update or remove a line, or clear the order. What should I do?")
    for key in raw.keys() - KEYS[do]:
        raise Refused(_unknown(str(key)))
    change = Change(
        do=do,
        line=_whole(raw.get("line"), "Which line of the order do you mean?"),
        item=_text(raw.get("item"), LONGEST_NAME, "Which item would you like?"),
        size=_text(raw.get("size"), LONGEST_NAME, "Which size would you like?"),
        quantity=_whole(raw.get("quantity"), "How many would you like? It must be a whole number of at least one."),
        modifiers=_names(raw.get("modifiers")),
        note=_text(raw.get("note"), LONGEST_NOTE, f"A note for the kitchen has at most {LONGEST_NOTE} letters."),
    )
    if do == "add" and not change.item:
        raise Refused("Which item would you like?")
    if do in ("update", "remove") and change.line is None:
        raise Refused("Which line of the order do you mean?")
    return change


def _whole(value: object, question: str) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise Refused(question)
    return min(value, HUGE)


def _text(value: object, longest: int, question: str) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > longest:
        raise Refused(question)
    return " ".join(value.split())


def _names(value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not _is_short_list(value):
        raise Refused("Which extras would you like?")
    names = [_text(name, LONGEST_NAME, "Which extras would you like?") for name in value]
    return tuple(name for name in names if name)


def _is_short_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list) and len(value) <= MOST_MODIFIERS


def _unknown(key: str) -> str:
    if any(word in key.lower() for word in MONEY_WORDS):
        return "I cannot change prices. They come from the menu."
    return f"I do not know what to do with “{key[:40]}”."
