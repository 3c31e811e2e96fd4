"""What importing a file would change: the rows that are added, changed and not in it, or what has to be corrected."""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from .columns import COLUMNS, GROUPS, IN, MODELS, NAME, TIMES, Column, Kind, Type, columns_of
from .matching import Matching
from .state import MenuState, Node
from .table import MOST_PROBLEMS, Problem, Row, Table
from .values import read_allergens, read_flag, read_list, read_number, read_price, read_time


class Action(enum.StrEnum):
    ADDED = "added"
    CHANGED = "changed"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Difference:
    """One cell, as texts."""

    column: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Change:
    """One row of the menu that the file adds, changes or does not have. `row` 0: the file does not have it."""

    action: Action
    node: Node
    row: int
    differences: tuple[Difference, ...] = ()

    @property
    def kind(self) -> str:
        return str(self.node.kind)

    @property
    def label(self) -> str:
        return self.node.label


@dataclass(slots=True)
class Plan:
    """`reordered`: rows with the position that they get. `ignored_stock`: rows whose stock is other in the file."""

    state: MenuState
    digest: str
    with_stock: bool
    changes: list[Change] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: tuple[str, ...] = ()
    reordered: list[tuple[Node, int]] = field(default_factory=list)
    ignored_stock: int = 0

    def of(self, action: Action) -> list[Change]:
        return [change for change in self.changes if change.action is action]

    @property
    def is_empty(self) -> bool:
        """Nothing would change, whether or not what is missing is removed."""
        return not self.changes and not self.reordered

    @property
    def shown_problems(self) -> list[Problem]:
        return self.problems[:MOST_PROBLEMS]


def make_plan(table: Table, state: MenuState, *, with_stock: bool = False) -> Plan:
    """Changes nothing. A plan with problems cannot be applied."""
    plan = Plan(state, state.digest(with_stock=with_stock), with_stock, notes=table.notes)
    if not table.rows:
        plan.problems.append(Problem(0, "", gettext("The file has no rows below its headings.")))
        return plan
    matching = Matching(table, state)
    plan.problems += matching.problems
    for node in matching.placed:
        _read(node, matching, plan)
    _check_families(matching.placed, plan)
    if plan.problems:
        plan.problems.sort(key=lambda problem: problem.row)
        return plan
    plan.changes = [change for node in matching.placed if (change := _change(node, plan)) is not None]
    plan.changes += [Change(Action.MISSING, node, 0) for node in _missing(matching)]
    plan.reordered = list(_reordered(matching, plan))
    return plan


def _read(node: Node, matching: Matching, plan: Plan) -> None:
    """The values of a row's cells; cells that the file does not have stay as they are."""
    row = node.row
    assert row is not None
    for column in columns_of(node.kind):
        if column.name in row.faults:
            plan.problems.append(Problem(row.number, column.name, row.faults[column.name]))
        elif column.name in row.cells:
            try:
                node.new[column.name] = _cell(column, row.cells[column.name], node, matching, plan.state)
            except ValueError as exc:
                plan.problems.append(Problem(row.number, column.name, str(exc)))
    if not plan.with_stock:
        stock = [column for column in COLUMNS if column.is_stock and column.name in node.new]
        plan.ignored_stock += node.pk is not None and any(_differs(column, node, plan.state) for column in stock)
        for column in stock:
            del node.new[column.name]
    if node.pk is None:
        _fill_defaults(node)
    plan.problems += _invalid(node, row, plan.state)


def _cell(column: Column, text: str, node: Node, matching: Matching, state: MenuState) -> Any:
    match column.type:
        case Type.PRICE:
            price = read_price(text)
            if price is None and node.kind is Kind.SIZE:
                raise ValueError("A size needs a price. Write it like 9.50.")
            return read_price("0") if price is None and node.kind is Kind.MODIFIER else price
        case Type.NUMBER:
            number = read_number(text)
            return column.empty if number is None else number
        case Type.FLAG:
            return read_flag(text)
        case Type.TIME:
            return read_time(text, state.zone)
        case Type.ALLERGENS:
            return read_allergens(text)
        case Type.GROUPS:
            return tuple(matching.resolve(Kind.GROUP, name) for name in read_list(text))
        case Type.DAYPART:
            return _daypart(text, state)
    return text.strip()


def _daypart(text: str, state: MenuState) -> str:
    name = text.strip()
    if not name:
        return ""
    daypart = state.dayparts.get(name.casefold())
    if daypart is None:
        raise ValueError(
            gettext("There is no time of day “%(name)s”. Add it under Menu → Times of day, or empty the cell.")
            % {"name": name[:40]}
        )
    return daypart.name


def _fill_defaults(node: Node) -> None:
    """What a new row has where the file says nothing."""
    for column in columns_of(node.kind):
        if column.name in node.new:
            continue
        match column.type:
            case Type.FLAG:
                node.new[column.name] = False
            case Type.ALLERGENS | Type.GROUPS:
                node.new[column.name] = ()
            case Type.TEXT | Type.DAYPART:
                node.new[column.name] = ""
            case Type.PRICE if node.kind is Kind.MODIFIER:
                node.new[column.name] = read_price("0")
            case _:
                node.new[column.name] = column.empty


def _invalid(node: Node, row: Row, state: MenuState) -> Iterator[Problem]:
    """By the rules of the model, each with the column that it is about."""
    model = MODELS[node.kind]
    own = (column for column in columns_of(node.kind) if column.name in node.new and column.name not in (GROUPS, TIMES))
    changed = [column for column in own if _differs(column, node, state)]
    if node.kind is Kind.SIZE and node.value("price") is None:
        yield Problem(row.number, "price", gettext("A size needs a price. Write it like 9.50."))
        return
    values = {column.field: _stored(node.new[column.name]) for column in changed}
    kept = {field.name for field in model._meta.fields} - set(values)
    try:
        model(**values).clean_fields(exclude=kept)
    except ValidationError as exc:
        names = {column.field: column.name for column in changed}
        for field_name, messages in exc.message_dict.items():
            yield Problem(row.number, names.get(field_name, field_name), " ".join(messages))


def _stored(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _check_families(placed: list[Node], plan: Plan) -> None:
    """What rows say together: prices and sizes, minimum and maximum, defaults, groups below themselves."""
    children: defaultdict[int, list[Node]] = defaultdict(list)
    for node in {id(node): node for node in (*plan.state.every(), *placed)}.values():
        children[id(node.home)].append(node)
    wrong = {problem.row for problem in plan.problems}
    for node in placed:
        if node.row is None or node.row.number in wrong:
            continue
        column, text = _fault(node, children[id(node)])
        if text:
            plan.problems.append(Problem(node.row.number, column, text))


def _fault(node: Node, children: list[Node]) -> tuple[str, str]:
    """The column and the sentence; empty where nothing is wrong."""
    defaults = sum(bool(child.value("default")) for child in children)
    match node.kind:
        case Kind.ITEM:
            has_new_price = node.new.get("price") is not None and node.new["price"] != node.old.get("price")
            has_new_size = any(child.pk is None for child in children)
            if children and node.value("price") is not None and (has_new_price or has_new_size):
                return "price", gettext(
                    "An item with sizes has no price of its own: empty this cell, or remove its sizes."
                )
            if node.pk is None and not children and node.value("price") is None:
                return "price", gettext("Write a price, or add rows of the kind size below the item.")
            if defaults > 1:
                return NAME, gettext(
                    "%(defaults)s of its sizes are the default. Leave “default” empty for the others."
                ) % {"defaults": defaults}
        case Kind.GROUP:
            if node.value("minimum") > node.value("maximum"):
                return "maximum", gettext("Write at least the minimum, %(value)s.") % {"value": node.value("minimum")}
            if defaults > node.value("maximum"):
                most = node.value("maximum")
                return NAME, gettext(
                    "%(defaults)s of its modifiers are default, but at most %(most)s can be chosen."
                ) % {"defaults": defaults, "most": most}
        case Kind.MODIFIER:
            if any(group is node.home for group in node.new.get(GROUPS, ())):
                return GROUPS, gettext("A group cannot follow one of its own modifiers. Remove it from this cell.")
    return "", ""


def _differs(column: Column, node: Node, state: MenuState) -> bool:
    if node.pk is None:
        return True
    old, new = node.old[column.name], node.new[column.name]
    if column.name == GROUPS:
        return set(map(id, old)) != set(map(id, new))
    return state.text(column, old) != state.text(column, new)


def _change(node: Node, plan: Plan) -> Change | None:
    assert node.row is not None
    differences = []
    if node.pk and node.new_parent is not None:
        old = node.parent.label if node.parent else ""
        differences.append(Difference(IN, old, node.new_parent.label))
    for column in columns_of(node.kind):
        if column.name in node.new and _differs(column, node, plan.state):
            old = plan.state.text(column, node.old[column.name]) if node.pk else ""
            new = plan.state.text(column, node.new[column.name])
            if node.pk or (new and column.name != NAME and node.new[column.name] != column.empty):
                differences.append(Difference(column.name, old, new))
    if node.pk is None:
        return Change(Action.ADDED, node, node.row.number, tuple(differences))
    return Change(Action.CHANGED, node, node.row.number, tuple(differences)) if differences else None


def _missing(matching: Matching) -> Iterator[Node]:
    """Of the kinds that the file has, what it does not have; nothing that something else still belongs to."""
    kinds = set(matching.kinds.values()) - {Kind.MENU}
    kept: set[int] = set()
    for node in matching.placed:
        above = node.home
        while above is not None:
            kept.add(id(above))
            above = above.home
        kept.update(map(id, node.new.get(GROUPS, ())))
    without_row = [node for node in matching.state.every() if node.row is None]
    for node in without_row:
        if node.kind not in kinds:
            above = node.parent
            while above is not None:
                kept.add(id(above))
                above = above.parent
    for node in without_row:
        if node.kind in kinds and id(node) not in kept:
            yield node


def _reordered(matching: Matching, plan: Plan) -> Iterator[tuple[Node, int]]:
    """New positions where the file has another order, or something new among what is there."""
    families: defaultdict[tuple[int, Kind], list[Node]] = defaultdict(list)
    for node in matching.placed:
        if node.kind is not Kind.MENU:
            families[id(node.home), node.kind].append(node)
    current: defaultdict[tuple[int, Kind], list[Node]] = defaultdict(list)
    for node in sorted(plan.state.every(), key=lambda node: (node.position, node.pk or 0)):
        current[id(node.parent), node.kind].append(node)
    for key, wanted in families.items():
        named = {id(node) for node in wanted}
        before = [node for node in current[key] if id(node) in named]
        if before == wanted:
            continue
        left = [node for node in current[key] if id(node) not in named and node.new_parent is None]
        for position, node in enumerate([*wanted, *left]):
            if node.pk is None or node.position != position:
                yield node, position
