"""Finds for each row of a file what it is on the menu: by its id, else by its name below what it belongs to."""

from __future__ import annotations

import re
from collections import defaultdict

from django.utils.translation import gettext

from .columns import ID, IN, KIND, NAME, ORDER, PARENTS, Kind
from .state import MenuState, Node
from .table import Problem, Row, Table
from .values import read_number

REFERENCE = re.compile(r"(?P<name>.*?)\s*#(?P<id>\d{1,18})")
KINDS = {**{str(kind): kind for kind in Kind}, "group": Kind.GROUP, "modifiers": Kind.MODIFIER, "items": Kind.ITEM}


class Matching:
    """`placed` are the nodes of the file's rows, in its order, without those that have a problem."""

    def __init__(self, table: Table, state: MenuState) -> None:
        self.table = table
        self.state = state
        self.problems: list[Problem] = []
        self.placed: list[Node] = []
        self.kinds: dict[int, Kind] = {}
        self._rejected: dict[int, Kind] = {}
        self._by_row: dict[int, Node] = {}
        self._named: dict[Kind, defaultdict[str, list[Node]]] = {kind: defaultdict(list) for kind in Kind}
        self._read_kinds()
        if self._is_of_another_menu():
            self.kinds.clear()
            return
        self._claim_ids()
        for kind in ORDER:
            self._place(kind)
        rows = {row.number: place for place, row in enumerate(table.rows)}
        self.placed.sort(key=lambda node: rows[node.row.number] if node.row else 0)

    def resolve(self, kind: Kind, reference: str) -> Node:
        """What a cell names. Raises ValueError with a sentence."""
        found = self._found(kind, reference)
        if len(found) == 1:
            return found[0]
        if not found:
            raise ValueError(
                gettext("There is no %(kind)s “%(name)s”. Add a row for it, or correct the name.")
                % {"kind": kind, "name": reference[:60]}
            )
        ids = ", ".join(f"“{node.name} #{node.pk}”" for node in found if node.pk)
        raise ValueError(
            gettext("There are %(count)d of the name “%(name)s”. Write one of them with its id: %(ids)s.")
            % {"count": len(found), "name": reference[:60], "ids": ids}
        )

    def _problem(self, row: Row, column: str, text: str) -> None:
        self.problems.append(Problem(row.number, column, text))

    def _read_kinds(self) -> None:
        menus = 0
        for row in self.table.rows:
            text = row.cells[KIND].strip().casefold() if KIND in row.cells else ""
            kind = KINDS.get(text)
            if KIND in row.faults:
                self._problem(row, "", row.faults[KIND])
            elif kind is None:
                known = ", ".join(Kind)
                self._problem(
                    row,
                    KIND,
                    gettext("“%(text)s” is no kind of row. Write one of these: %(known)s.")
                    % {"text": text[:30], "known": known},
                )
            elif kind is Kind.MENU and menus:
                self._problem(row, KIND, gettext("The file has two menus. Put each menu into a file of its own."))
            else:
                self.kinds[row.number] = kind
                menus += kind is Kind.MENU

    def _is_of_another_menu(self) -> bool:
        """Then that is the one problem, not each of its ids."""
        for row in self.table.rows:
            number = row.cells.get(ID, "").strip()
            if self.kinds.get(row.number) is Kind.MENU and number and number != str(self.state.menu.pk):
                self.problems[:] = [
                    Problem(
                        row.number,
                        ID,
                        gettext(
                            "This file is of another menu (id %(number)s). Open that menu to import it; or empty the "
                            "column “id”, and its rows are added to this menu as new ones."
                        )
                        % {"number": number[:30]},
                    )
                ]
                return True
        return False

    def _claim_ids(self) -> None:
        """Rows with an id come first: the others have what is left."""
        for row in self.table.rows:
            kind, text = self.kinds.get(row.number), row.cells.get(ID, "")
            if kind is None or not text.strip():
                continue
            try:
                number = read_number(text)
            except ValueError:
                self._reject(
                    row,
                    ID,
                    gettext("“%(text)s” is no id. Leave it as it was exported, or empty for a new row.")
                    % {"text": text[:30]},
                )
                continue
            node = self.state.nodes[kind].get(number or 0)
            if node is None:
                self._reject(
                    row, ID,
                    gettext("No %(kind)s of this menu has the id %(text)s. Empty the cell to add a new %(kind)s; ids "
"of other menus and of what was removed do not count.") % {"kind": kind, "text": text[:30]},
                )  # fmt: skip
            elif node.row is not None:
                self._reject(
                    row,
                    ID,
                    gettext("Row %(number)s has the same id. Empty the cell to add a new %(kind)s, or remove one.")
                    % {"number": node.row.number, "kind": kind},
                )
            else:
                node.row = row
                self._by_row[row.number] = node

    def _reject(self, row: Row, column: str, text: str) -> None:
        self._problem(row, column, text)
        # What belongs to it is not complained about, too.
        kind = self._rejected[row.number] = self.kinds.pop(row.number)
        self._by_row[row.number] = Node(kind, row=row, new={NAME: row.cells.get(NAME, "").strip()})

    def _place(self, kind: Kind) -> None:
        """All rows of a kind; those that they belong to are placed already."""
        above: Node | None = None
        unclaimed: defaultdict[tuple[int, str], list[Node]] = defaultdict(list)
        for node in self.state.nodes[kind].values():
            if node.row is None:
                unclaimed[id(node.parent), str(node.old[NAME]).casefold()].append(node)
        for row in self.table.rows:
            its_kind = self.kinds.get(row.number)
            if (its_kind or self._rejected.get(row.number)) is PARENTS.get(kind):
                above = self._by_row.get(row.number)
            if its_kind is not kind:
                continue
            try:
                parent = self._parent(kind, row, above)
            except ValueError as exc:
                self._reject(row, IN, str(exc))
                continue
            self._settle(kind, row, parent, unclaimed)
        self._index(kind)

    def _settle(self, kind: Kind, row: Row, parent: Node | None, unclaimed: dict[tuple[int, str], list[Node]]) -> None:
        node = self._by_row.get(row.number)
        if node is None:
            name = row.cells.get(NAME, "").strip().casefold()
            alike = unclaimed.get((id(parent), name))
            if kind is Kind.MENU:
                alike = list(self.state.nodes[kind].values())
            node = alike.pop(0) if alike else Node(kind)
            node.row = row
            self._by_row[row.number] = node
        if node.parent is not parent:
            node.new_parent = parent
        node.new[NAME] = row.cells[NAME].strip() if NAME in row.cells else node.old.get(NAME, "")
        self.placed.append(node)

    def _parent(self, kind: Kind, row: Row, above: Node | None) -> Node | None:
        """By the cell; where it is empty, the one above it in the file; else the one that it, or its namesake, has.

        What has an id stays where it is in a file without that column, in whatever order its rows are.
        """
        if kind is Kind.MENU:
            return None
        if PARENTS[kind] is Kind.MENU:
            return self.state.nodes[Kind.MENU][self.state.menu.pk]
        reference = row.cells.get(IN, "").strip()
        node = self._by_row.get(row.number)
        if node and IN not in row.cells:
            return node.parent
        if not reference:
            found = above or (node.parent if node else self._home_of(kind, row))
            if found is None:
                raise ValueError(
                    gettext("Write the name of the %(parent)s to which this %(kind)s belongs.")
                    % {"parent": PARENTS[kind], "kind": kind}
                )
            return found
        # A row may name what it belongs to as it was called before.
        if node and node.parent and reference.casefold() == str(node.parent.old[NAME]).casefold():
            others = self._found(PARENTS[kind], reference)
            if len(others) != 1 or others[0] is node.parent:
                return node.parent
        return self.resolve(PARENTS[kind], reference)

    def _home_of(self, kind: Kind, row: Row) -> Node | None:
        """Of the only one that has the row's name now."""
        name = row.cells.get(NAME, "").strip().casefold()
        alike = [each for each in self.state.nodes[kind].values() if str(each.old[NAME]).casefold() == name]
        return alike[0].parent if len(alike) == 1 else None

    def _index(self, kind: Kind) -> None:
        """By the names that they will have."""
        placed = [node for node in self.placed if node.kind is kind]
        left = (node for node in self.state.nodes[kind].values() if node.row is None)
        for node in (*placed, *left):
            self._named[kind][node.name.casefold()].append(node)
        # And by the old ones, where no other has taken them.
        renamed: defaultdict[str, list[Node]] = defaultdict(list)
        for node in placed:
            if node.pk and str(node.old[NAME]).casefold() != node.name.casefold():
                renamed[str(node.old[NAME]).casefold()].append(node)
        for row_number, rejected in self._rejected.items():
            if rejected is kind:
                renamed[self._by_row[row_number].name.casefold()].append(self._by_row[row_number])
        for name, nodes in renamed.items():
            self._named[kind].setdefault(name, nodes)

    def _found(self, kind: Kind, reference: str) -> list[Node]:
        named = self._named[kind].get(reference.strip().casefold(), [])
        numbered = REFERENCE.fullmatch(reference.strip())
        if not named and numbered:
            node = self.state.nodes[kind].get(int(numbered["id"]))
            return [node] if node else []
        return named
