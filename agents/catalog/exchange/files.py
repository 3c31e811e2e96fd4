"""Reads a file of a menu in any of its formats, and writes them."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence

from django.utils.translation import gettext, ngettext

from .columns import HEADINGS, ID, IN, KIND, NAME, heading_of
from .csv_file import read_csv, write_csv
from .json_file import read_json, write_json
from .table import MAX_CELL_CHARACTERS, MAX_FILE_BYTES, MAX_ROWS, MIB, Row, Table, UnreadableFile, too_many_rows
from .xlsx_file import read_xlsx, write_xlsx

ZIP_MARK, OLD_EXCEL_MARK = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


class Format(enum.StrEnum):
    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"

    @property
    def content_type(self) -> str:
        return {
            Format.CSV: "text/csv; charset=utf-8",
            Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Format.JSON: "application/json",
        }[self]


def write_file(rows: Sequence[Mapping[str, str]], form: Format) -> bytes:
    """The rows of `MenuState.rows`, as a file."""
    if form is Format.JSON:
        return write_json(rows)
    cells = ([row.get(heading, "") for heading in HEADINGS] for row in rows)
    return write_csv(HEADINGS, cells) if form is Format.CSV else write_xlsx(HEADINGS, cells)


def read_file(content: bytes) -> Table:
    """By its content, whatever its name. Raises UnreadableFile."""
    if len(content) > MAX_FILE_BYTES:
        raise too_large(len(content))
    if not content.strip():
        raise UnreadableFile(gettext("The file is empty. Choose a CSV, XLSX or JSON file of a menu."))
    if content.startswith(OLD_EXCEL_MARK):
        raise UnreadableFile(
            gettext("This is an old Excel workbook (XLS), or one with a password. Save it as XLSX without a password.")
        )
    if content.startswith(ZIP_MARK):
        texts = read_xlsx(content)
        return _table([cells for cells, _ in texts], faults=[faults for _, faults in texts])
    if content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"["):
        columns, rows = read_json(content)
        return Table(tuple(columns), tuple(_checked(Row(number, row)) for number, row in enumerate(rows, 1)))
    lines, notes = read_csv(content)
    return _table(lines, notes=notes)


def too_large(size: int) -> UnreadableFile:
    """For a file that need not be read."""
    return UnreadableFile(
        gettext(
            "The file has %(size)s MB; a menu's file has at most %(max_file_bytes)s MB. Remove "
            "pictures and other sheets, or split it."
        )
        % {"size": f"{size / MIB:.1f}", "max_file_bytes": MAX_FILE_BYTES // MIB}
    )


def _table(
    lines: Sequence[Sequence[str]], *, faults: Sequence[Mapping[int, str]] = (), notes: tuple[str, ...] = ()
) -> Table:
    """The first line that is not empty has the headings."""
    top = next((number for number, line in enumerate(lines) if any(cell.strip() for cell in line)), None)
    if top is None:
        raise UnreadableFile(gettext("The file is empty. Choose a CSV, XLSX or JSON file of a menu."))
    columns = [heading_of(cell) for cell in lines[top]]
    _check_headings(columns)
    unknown = [each for each in columns if each and each not in HEADINGS]
    if unknown:
        shown = ", ".join(f"“{each[:30]}”" for each in unknown[:5])
        note = ngettext(
            "Not known, and ignored: column %(names)s.", "Not known, and ignored: columns %(names)s.", len(unknown)
        )
        notes += (note % {"names": shown},)
    rows = []
    for number, line in enumerate(lines[top + 1 :], top + 1):
        marked = faults[number] if faults else {}
        if any(cell.strip() for cell in line) or marked:
            rows.append(_checked(_row(number + 1, columns, line, marked)))
    if len(rows) > MAX_ROWS:
        raise too_many_rows()
    return Table(tuple(each for each in columns if each in HEADINGS), tuple(rows), notes)


def _check_headings(columns: Sequence[str]) -> None:
    known = [each for each in columns if each in HEADINGS]
    twice = next((each for each in known if known.count(each) > 1), None)
    if twice:
        raise UnreadableFile(
            gettext("The column “%(twice)s” is there twice. Remove one of the two.") % {"twice": twice}
        )
    if KIND not in known or not {ID, NAME} & set(known):
        missing = KIND if KIND not in known else NAME
        raise UnreadableFile(
            gettext(
                "The first row has no heading “%(missing)s”. Download the menu to see how its columns are "
                "named: %(value)s, price and so on."
            )
            % {"missing": missing, "value": ", ".join((KIND, ID, IN, NAME))}
        )


def _row(number: int, columns: Sequence[str], line: Sequence[str], marked: Mapping[int, str]) -> Row:
    cells = {heading: "" for heading in columns if heading in HEADINGS}
    cells |= {heading: cell for heading, cell in zip(columns, line, strict=False) if heading in HEADINGS}
    faults = {columns[place]: text for place, text in marked.items() if place < len(columns)}
    if any(cell.strip() for cell in line[len(columns) :]):
        faults[KIND] = gettext(
            "The row has more cells than there are headings. Put a text that has the separator in it into quotation "
            "marks, or give the column a heading."
        )
    return Row(number, cells, {heading: text for heading, text in faults.items() if heading in HEADINGS})


def _checked(row: Row) -> Row:
    too_long = gettext("The cell has more than %(most)s characters. Shorten it.") % {"most": MAX_CELL_CHARACTERS}
    long = {heading: too_long for heading, cell in row.cells.items() if len(cell) > MAX_CELL_CHARACTERS}
    return Row(row.number, {**row.cells, **dict.fromkeys(long, "")}, {**row.faults, **long}) if long else row
