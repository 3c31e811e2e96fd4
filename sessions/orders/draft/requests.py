"""The changes that a model may request: one type each, which defines both its JSON schema and its validation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar, get_args

import msgspec
from msgspec import Meta, Struct

from .choices import MOST_MODIFIERS
from .lines import Refused
from .names import LONGEST_NAME

LONGEST_NOTE = 200
# Larger numbers are cut to this: more than any menu's limit, and no overflow in the database.
HUGE = 10_000
MONEY_WORDS = ("price", "total", "tax", "discount", "cost", "amount", "free")
WHICH_ITEM = "Which item would you like?"

S = TypeVar("S", bound=Struct)


def argument(question: str, description: str, **constraints: Any) -> Meta:
    """A field's description and constraints, and the question to the caller if the model sends an invalid value."""
    return Meta(description=description, extra={"question": question}, **constraints)


Name = Annotated[str, Meta(max_length=LONGEST_NAME)]
Item = Annotated[
    Name, argument(WHICH_ITEM, "An item's name as on the menu, with its heading where the name stands twice.")
]
Size = Annotated[
    Name, argument("Which size would you like?", "One of the item's sizes. Leave it out for the usual one.")
]
HOW_MANY = "How many would you like? It must be a whole number of at least one."
Quantity = Annotated[int, argument(HOW_MANY, "How many. Leave it out for one.", ge=1)]
MODIFIERS = (
    "Names of modifiers, also those of a group under another modifier. Twice for double. "
    "“no X” leaves out a usual one. In an update: all that the line shall have."
)
Modifiers = Annotated[tuple[Name, ...], argument("Which extras would you like?", MODIFIERS, max_length=MOST_MODIFIERS)]
SHORTER_NOTE = f"A note for the kitchen has at most {LONGEST_NOTE} characters."
Note = Annotated[str, argument(SHORTER_NOTE, "For the kitchen, in the caller's words.", max_length=LONGEST_NOTE)]
LineNumber = Annotated[int, argument("Which line of the order do you mean?", "The number of a line in `order`.", ge=1)]


class _Change(Struct, tag_field="do", tag=str.lower, forbid_unknown_fields=True, frozen=True):
    """One change. None means not given."""


class Add(_Change, frozen=True):
    item: Item
    size: Size | None = None
    quantity: Quantity | None = None
    modifiers: Modifiers | None = None
    note: Note | None = None


class Update(_Change, frozen=True):
    line: LineNumber
    item: Item | None = None
    size: Size | None = None
    quantity: Quantity | None = None
    modifiers: Modifiers | None = None
    note: Note | None = None


class Remove(_Change, frozen=True):
    line: LineNumber


class Clear(_Change, frozen=True):
    pass


Change = Add | Update | Remove | Clear

KINDS: dict[str, type[Change]] = {"add": Add, "update": Update, "remove": Remove, "clear": Clear}


def read_change(raw: object) -> Change:
    """The change in `raw`; raises Refused."""
    kind = KINDS.get(str(raw.get("do"))) if isinstance(raw, dict) else None
    if not isinstance(raw, dict) or kind is None:
        raise Refused("I can add, update or remove a line, or clear the order. What should I do?")
    fields = {name: value for name, value in raw.items() if name != "do"}
    if any(word in name.lower() for name in fields.keys() - kind.__struct_fields__ for word in MONEY_WORDS):
        raise Refused("I cannot change prices. They come from the menu.")
    change = read_fields(fields, kind)
    if isinstance(change, Add) and not change.item:
        raise Refused(WHICH_ITEM)
    return change


def read_fields(raw: Mapping[str, object], shape: type[S]) -> S:
    """Validate `raw` as `shape`; raises Refused with the question of the first invalid field.

    null means not given. A required text that is not given is empty, and the tool asks for it.
    """
    for name in raw.keys() - shape.__struct_fields__:
        raise Refused(f"I do not know what to do with “{name[:40]}”.")
    read: dict[str, object] = {}
    for field in msgspec.structs.fields(shape):
        value = raw.get(field.name)
        if value is None and not field.required:
            continue
        try:
            read[field.name] = _plain(msgspec.convert("" if value is None else value, field.type))
        except msgspec.ValidationError as exc:
            raise Refused(_question(field.type)) from exc
    return shape(**read)


def _plain(value: object) -> object:
    if isinstance(value, str):
        return " ".join(value.split())
    if isinstance(value, tuple):
        return tuple(text for text in map(_plain, value) if text)
    return min(value, HUGE) if isinstance(value, int) else value


def _question(hint: object) -> str:
    """The question in `Annotated[…, argument(…)]` or `Annotated[…, argument(…)] | None`."""
    found = (each.extra for part in (hint, *get_args(hint)) for each in getattr(part, "__metadata__", ()))
    return str(next(extra for extra in found if extra)["question"])
