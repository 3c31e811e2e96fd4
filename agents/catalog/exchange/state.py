"""A menu as it is: its rows as nodes of a tree, as rows of a file, and as a digest that says whether it changed."""

from __future__ import annotations

import hashlib
import zoneinfo
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from agents.catalog.models import Daypart, Menu, ModifierGroup

from .columns import GROUPS, ID, IN, KIND, MODELS, NAME, ORDER, PARENT_FIELDS, PARENTS, TIMES, Column, Kind, columns_of
from .table import Row
from .values import write_value

# How a kind's rows are found from its menu.
PATHS = {
    Kind.MENU: "pk",
    Kind.CATEGORY: "menu",
    Kind.GROUP: "menu",
    Kind.ITEM: "category__menu",
    Kind.SIZE: "item__category__menu",
    Kind.MODIFIER: "group__menu",
}


@dataclass(eq=False, slots=True)
class Node:
    """One thing of a menu: as it is (`pk`, `old`), and as a file wants it (`row`, `new`). A new one has no `pk`.

    Values are by column. Those of `modifier groups` are nodes.
    """

    kind: Kind
    pk: int | None = None
    position: int = 0
    parent: Node | None = None
    old: dict[str, Any] = field(default_factory=dict)
    row: Row | None = None
    new: dict[str, Any] = field(default_factory=dict)
    new_parent: Node | None = None

    @property
    def name(self) -> str:
        """As it will be."""
        return str(self.new.get(NAME, self.old.get(NAME, "")))

    @property
    def home(self) -> Node | None:
        """What it will belong to."""
        return self.new_parent or self.parent

    def value(self, column: str) -> Any:
        """As it will be."""
        return self.new.get(column, self.old.get(column))

    @property
    def label(self) -> str:
        """“Pizzas › Margherita › large”"""
        above = self.home
        names = [self.name]
        while above is not None and above.kind is not Kind.MENU:
            names.append(above.name)
            above = above.home
        return " › ".join(reversed(names))


class MenuState:
    """Read in eight queries, whatever the menu's size."""

    def __init__(self, menu: Menu) -> None:
        self.menu = menu
        self.zone: zoneinfo.ZoneInfo = menu.organization.zone
        self.dayparts: Mapping[str, Daypart] = {
            daypart.name.casefold(): daypart for daypart in Daypart.objects.filter(organization=menu.organization_id)
        }
        self.nodes: dict[Kind, dict[int, Node]] = {}
        names = {daypart.pk: daypart.name for daypart in self.dayparts.values()}
        for kind in ORDER:
            rows = MODELS[kind].objects.filter(**{PATHS[kind]: menu.pk}).order_by("pk")
            self.nodes[kind] = {row.pk: self._node(kind, row, names) for row in rows}
        for kind, through, owner in (
            (Kind.ITEM, ModifierGroup.items.through, "item"),
            (Kind.MODIFIER, ModifierGroup.under.through, "modifier"),
        ):
            self._link(kind, through, owner)

    def _node(self, kind: Kind, row: Any, names: Mapping[int, str]) -> Node:
        node = Node(kind, row.pk, getattr(row, "position", 0))
        if kind is not Kind.MENU:
            node.parent = self.nodes[PARENTS[kind]][getattr(row, f"{PARENT_FIELDS[kind]}_id")]
        for column in columns_of(kind):
            if column.name == TIMES:
                node.old[TIMES] = names.get(row.daypart_id, "")
            elif column.name == GROUPS:
                node.old[GROUPS] = ()
            else:
                value = getattr(row, column.field)
                node.old[column.name] = tuple(value) if isinstance(value, list) else value
        return node

    def _link(self, kind: Kind, through: Any, owner: str) -> None:
        """The groups of each row, in their order."""
        groups = self.nodes[Kind.GROUP]
        links: defaultdict[int, list[Node]] = defaultdict(list)
        pairs = through.objects.filter(modifiergroup__menu=self.menu.pk).values_list(owner, "modifiergroup")
        for pk, group in pairs:
            links[pk].append(groups[group])
        for pk, linked in links.items():
            if pk in self.nodes[kind]:
                self.nodes[kind][pk].old[GROUPS] = tuple(sorted(linked, key=lambda node: (node.position, node.pk or 0)))

    def every(self) -> Iterator[Node]:
        return (node for kind in ORDER for node in self.nodes[kind].values())

    def children(self, parent: Node) -> list[Node]:
        """Those that belong to it now, in their order."""
        found = [node for node in self.every() if node.parent is parent]
        return sorted(found, key=lambda node: (node.position, node.pk or 0))

    def in_order(self) -> Iterator[Node]:
        """The menu, its categories with items and sizes, its groups with modifiers."""
        below: defaultdict[int, list[Node]] = defaultdict(list)
        for node in sorted(self.every(), key=lambda node: (ORDER.index(node.kind), node.position, node.pk or 0)):
            below[id(node.parent)].append(node)
        return self._from(self.nodes[Kind.MENU][self.menu.pk], below)

    def rows(self) -> list[dict[str, str]]:
        """For a file."""
        return [self._as_row(node) for node in self.in_order()]

    def _from(self, node: Node, below: Mapping[int, list[Node]]) -> Iterator[Node]:
        yield node
        for child in below.get(id(node), ()):
            yield from self._from(child, below)

    def _as_row(self, node: Node) -> dict[str, str]:
        row = {KIND: str(node.kind), ID: str(node.pk), IN: ""}
        if node.parent is not None and node.kind not in (Kind.CATEGORY, Kind.GROUP):
            row[IN] = self.reference(node.parent)
        for column in columns_of(node.kind):
            row[column.name] = self.text(column, node.old[column.name])
        return row

    def text(self, column: Column, value: Any) -> str:
        """As it stands in a file."""
        if column.name == GROUPS:
            return "; ".join(self.reference(group) for group in value)
        return write_value(value, self.zone)

    def reference(self, node: Node) -> str:
        """Its name; with its id where the menu has several of that name."""
        is_only_one = self._numbers[node.kind, node.name.casefold()] <= 1
        return node.name if is_only_one or node.pk is None else f"{node.name} #{node.pk}"

    @cached_property
    def _numbers(self) -> Mapping[tuple[Kind, str], int]:
        return Counter((node.kind, str(node.old[NAME]).casefold()) for node in self.every())

    def digest(self, *, with_stock: bool) -> str:
        """Another one for every change; those of the stock count only if it is to be imported."""
        lines = [
            (
                str(node.kind), node.pk, node.parent.pk if node.parent else None, node.position,
                [(column.name, self._digested(column, node)) for column in columns_of(node.kind)
                 if with_stock or not column.is_stock],
            )
            for node in self.every()
        ]  # fmt: skip
        return hashlib.sha256(repr(lines).encode()).hexdigest()

    def _digested(self, column: Column, node: Node) -> object:
        value = node.old[column.name]
        return sorted(group.pk for group in value) if column.name == GROUPS else write_value(value, self.zone)
