"""The columns of a file of a menu: to which kinds of rows each belongs, and which field it fills."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agents.catalog.models import Category, Item, Menu, Modifier, ModifierGroup, Size


class Kind(enum.StrEnum):
    """What a row is. A row belongs to one of the kind above it."""

    MENU = "menu"
    CATEGORY = "category"
    ITEM = "item"
    SIZE = "size"
    GROUP = "modifier group"
    MODIFIER = "modifier"


MODELS: Mapping[Kind, type[Any]] = {
    Kind.MENU: Menu,
    Kind.CATEGORY: Category,
    Kind.ITEM: Item,
    Kind.SIZE: Size,
    Kind.GROUP: ModifierGroup,
    Kind.MODIFIER: Modifier,
}
PARENTS: Mapping[Kind, Kind] = {
    Kind.CATEGORY: Kind.MENU,
    Kind.GROUP: Kind.MENU,
    Kind.ITEM: Kind.CATEGORY,
    Kind.SIZE: Kind.ITEM,
    Kind.MODIFIER: Kind.GROUP,
}
# The field of a model that holds the row above it.
PARENT_FIELDS: Mapping[Kind, str] = {
    Kind.CATEGORY: "menu",
    Kind.GROUP: "menu",
    Kind.ITEM: "category",
    Kind.SIZE: "item",
    Kind.MODIFIER: "group",
}
# In this order a row comes after everything that it names.
ORDER = (Kind.MENU, Kind.CATEGORY, Kind.GROUP, Kind.ITEM, Kind.SIZE, Kind.MODIFIER)
KIND, ID, IN, NAME, GROUPS, TIMES, POSITION = "kind", "id", "in", "name", "modifier groups", "times", "position"
POS_ID = "pos id"


class Type(enum.Enum):
    """How the cells of a column are read."""

    TEXT = enum.auto()
    PRICE = enum.auto()
    NUMBER = enum.auto()
    FLAG = enum.auto()
    TIME = enum.auto()
    ALLERGENS = enum.auto()
    GROUPS = enum.auto()
    DAYPART = enum.auto()


@dataclass(frozen=True, slots=True)
class Column:
    """`empty` is what an empty cell means, where the type does not say. Stock is imported only on request."""

    name: str
    field: str
    type: Type
    kinds: frozenset[Kind]
    empty: object = None
    is_stock: bool = False


ALL = frozenset(Kind)
NAMED = frozenset({Kind.ITEM, Kind.SIZE, Kind.MODIFIER})
EATEN = frozenset({Kind.ITEM, Kind.MODIFIER})
CHOSEN = frozenset({Kind.SIZE, Kind.MODIFIER})
ITEM = frozenset({Kind.ITEM})
GROUP = frozenset({Kind.GROUP})
SERVED = frozenset({Kind.MENU, Kind.CATEGORY, Kind.ITEM})
COLUMNS = (
    Column(NAME, "name", Type.TEXT, ALL),
    Column("price", "price", Type.PRICE, NAMED),
    Column("default", "is_default", Type.FLAG, CHOSEN),
    Column("spoken name", "spoken_name", Type.TEXT, NAMED),
    Column("aliases", "aliases", Type.TEXT, NAMED),
    Column("description", "description", Type.TEXT, ITEM),
    Column("minimum", "minimum", Type.NUMBER, GROUP, 0),
    Column("maximum", "maximum", Type.NUMBER, GROUP, 1),
    Column("maximum per order", "most_per_order", Type.NUMBER, ITEM, 50),
    Column(GROUPS, "modifier_groups", Type.GROUPS, EATEN),
    Column("allergens", "allergens", Type.ALLERGENS, EATEN),
    Column(TIMES, "daypart", Type.DAYPART, SERVED),
    Column(POS_ID, "pos_id", Type.TEXT, NAMED),
    Column("sold out", "is_out", Type.FLAG, NAMED, is_stock=True),
    Column("sold out until", "out_until", Type.TIME, NAMED, is_stock=True),
    Column("quantity left", "count_left", Type.NUMBER, NAMED, is_stock=True),
)
BY_NAME: Mapping[str, Column] = {column.name: column for column in COLUMNS}
HEADINGS = (KIND, ID, IN, *BY_NAME)


def columns_of(kind: Kind) -> tuple[Column, ...]:
    return tuple(column for column in COLUMNS if kind in column.kinds)


def heading_of(text: str) -> str:
    """The column of a heading, however it is written; the text itself if it is none."""
    plain = " ".join(text.replace("_", " ").split()).casefold()
    return plain if plain in HEADINGS else text.strip()
