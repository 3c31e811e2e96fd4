"""A menu as JSON, nested: items under their category, sizes under their item, modifiers under their group."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .columns import HEADINGS, ID, IN, KIND, PARENTS, Column, Kind, Type, columns_of
from .table import MAX_ROWS, UnreadableFile, too_many_rows

FORMAT = "voiceapp menu 1"
# Where the rows of a kind stand: under which key of which kind; categories and groups at the top.
LISTS = {
    Kind.CATEGORY: "categories",
    Kind.ITEM: "items",
    Kind.SIZE: "sizes",
    Kind.GROUP: "modifier_groups",
    Kind.MODIFIER: "modifiers",
}
BELOW = {None: (Kind.CATEGORY, Kind.GROUP), Kind.CATEGORY: (Kind.ITEM,), Kind.ITEM: (Kind.SIZE,),
         Kind.GROUP: (Kind.MODIFIER,)}  # fmt: skip
WHERE = _("Write the file as a menu is exported: an object with “menu”, “categories” and “modifier_groups”.")


def write_json(rows: Iterable[Mapping[str, str]]) -> bytes:
    """Of rows in which each one comes after the one that it belongs to."""
    document: dict[str, Any] = {"format": FORMAT}
    above: dict[Kind, dict[str, Any]] = {}
    for row in rows:
        kind = Kind(row[KIND])
        columns = (column for column in columns_of(kind) if column.name in row)
        entry = {ID: int(row[ID])} | {column.name.replace(" ", "_"): _typed(column, row) for column in columns}
        above[kind] = entry
        if kind is Kind.MENU:
            document["menu"] = entry
        else:
            owner = document if PARENTS[kind] is Kind.MENU else above[PARENTS[kind]]
            owner.setdefault(LISTS[kind], []).append(entry)
    return json.dumps(document, indent=2, ensure_ascii=False).encode()


def _typed(column: Column, row: Mapping[str, str]) -> object:
    text = row[column.name]
    match column.type:
        case Type.FLAG:
            return bool(text)
        case Type.NUMBER:
            return int(text) if text else None
        case Type.GROUPS | Type.ALLERGENS:
            return text.split("; ") if text else []
    return text


def read_json(content: bytes) -> tuple[Sequence[str], list[dict[str, str]]]:
    """The columns, and every entry as a row, with the keys that it has. Raises UnreadableFile."""
    try:
        document = json.loads(content.decode("utf-8-sig"), parse_float=str, parse_int=str)
    except (ValueError, RecursionError) as exc:
        place = (
            gettext(" at line %(lineno)s, column %(colno)s") % {"lineno": exc.lineno, "colno": exc.colno}
            if isinstance(exc, json.JSONDecodeError)
            else ""
        )
        raise UnreadableFile(
            gettext("The file is no JSON%(place)s. Correct it there, or upload CSV or XLSX.") % {"place": place}
        ) from exc
    if not isinstance(document, dict):
        raise UnreadableFile(gettext("The file holds no menu. %(where)s") % {"where": WHERE})
    rows = []
    for row in _entries(document):
        rows.append(row)
        if len(rows) > MAX_ROWS:
            raise too_many_rows()
    named = {key for row in rows for key in row}
    return [each for each in HEADINGS if each in named], rows


def _entries(document: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    menu = document.get("menu")
    if isinstance(menu, dict):
        yield _row(Kind.MENU, menu)
    yield from _below(document, None)


def _below(owner: Mapping[str, Any], kind: Kind | None) -> Iterator[dict[str, str]]:
    for each in BELOW.get(kind, ()):
        entries = owner.get(LISTS[each], [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise UnreadableFile(
                gettext("“%(lists)s” is no list of objects. %(where)s") % {"lists": LISTS[each], "where": WHERE}
            )
        for entry in entries:
            yield _row(each, entry)
            yield from _below(entry, each)


def _row(kind: Kind, entry: Mapping[str, Any]) -> dict[str, str]:
    row = {KIND: str(kind), IN: ""}  # it belongs to what it stands in
    for key, value in entry.items():
        heading = key.replace("_", " ").casefold()
        if heading not in HEADINGS or heading in (KIND, IN):
            continue
        if isinstance(value, dict):
            raise UnreadableFile(
                gettext("“%(key)s” of a %(kind)s is an object where a text belongs. %(where)s")
                % {"key": key, "kind": kind, "where": WHERE}
            )
        row[heading] = _text(value)
    return row


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "; ".join(map(str, value)) if isinstance(value, list) else str(value)
