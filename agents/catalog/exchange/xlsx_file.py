"""A menu as XLSX. Formulas are not run: the result that the spreadsheet stored counts."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Any
from xml.etree.ElementTree import ParseError

from django.utils.translation import gettext, gettext_lazy
from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils.exceptions import InvalidFileException

from .table import MAX_COLUMNS, MAX_ROWS, MIB, UnreadableFile, too_many_rows

SHEET = "Menu"
# A menu of 5,000 rows has 3 MB.
MAX_UNPACKED_BYTES = 20 * MIB
MAX_PARTS = 300
# Blank rows at the end, which spreadsheets like to keep.
MAX_BLANK_ROWS = 20_000
NOT_XLSX = gettext_lazy(
    "The file is no XLSX workbook, or it is damaged or has a password. Save it again as XLSX and upload that."
)
NO_RESULT = gettext_lazy(
    "The cell has a formula without a result. Open the file in your spreadsheet program and save it, or type the value."
)
WIDTHS = {"kind": 15, "name": 28, "in": 22, "aliases": 30, "description": 30, "modifier groups": 28, "allergens": 22}
# Cells that are written as numbers, so that a spreadsheet can compute with them.
PRICE, NUMBERS = "price", {"id", "minimum", "maximum", "maximum per order", "quantity left"}
Cells = tuple[list[str], dict[int, str]]


def write_xlsx(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet(SHEET)
    sheet.freeze_panes = "A2"
    for number, heading in enumerate(headings):
        sheet.column_dimensions[chr(ord("A") + number)].width = WIDTHS.get(heading, 14)
    bold = []
    for heading in headings:
        cell = WriteOnlyCell(sheet, heading)
        cell.font = Font(bold=True)
        bold.append(cell)
    sheet.append(bold)
    for row in rows:
        sheet.append([_cell(sheet, heading, text) for heading, text in zip(headings, row, strict=True)])
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def _cell(sheet: Any, heading: str, text: str) -> Any:
    if not text:
        return None
    if heading in NUMBERS:
        return int(text)
    if heading == PRICE:
        cell = WriteOnlyCell(sheet, float(text))
        cell.number_format = "0.00"
        return cell
    cell = WriteOnlyCell(sheet, text)
    cell.data_type = "s"  # text, even where it begins like a formula
    return cell


def read_xlsx(content: bytes) -> list[Cells]:
    """Every row of the menu's sheet, headings included, with the cells that have no value. Raises UnreadableFile."""
    _check_archive(content)
    try:
        return list(_rows(content))
    except UnreadableFile:
        raise
    except (
        InvalidFileException, zipfile.BadZipFile, ParseError, KeyError, ValueError, TypeError, IndexError,
        AttributeError, SyntaxError, OSError, EOFError, RuntimeError, NotImplementedError,
    ) as exc:  # fmt: skip
        # What openpyxl raises for parts that are missing or damaged is not documented: all of these were seen.
        raise UnreadableFile(NOT_XLSX) from exc


def _check_archive(content: bytes) -> None:
    """The sizes that the archive states bind its reader, too: a part is never unpacked further."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as exc:
        raise UnreadableFile(NOT_XLSX) from exc
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
        raise UnreadableFile(
            gettext(
                "The workbook unpacks to more than %(size)s MB. Copy the menu's sheet into a new workbook and "
                "upload that."
            )
            % {"size": MAX_UNPACKED_BYTES // MIB}
        )


def _rows(content: bytes) -> Iterator[Cells]:
    books = [
        load_workbook(io.BytesIO(content), read_only=True, data_only=only, keep_links=False) for only in (True, False)
    ]
    try:
        name = SHEET if SHEET in books[0].sheetnames else books[0].sheetnames[0]
        pairs = zip_longest(*(book[name].iter_rows(max_col=MAX_COLUMNS) for book in books))
        filled = 0
        for number, (results, formulas) in enumerate(pairs):
            cells = _read_row(results or (), formulas or ())
            filled += any(cells[0]) or bool(cells[1])
            if filled > MAX_ROWS + 1 or number > MAX_BLANK_ROWS:
                raise too_many_rows()
            yield cells
    finally:
        for book in books:
            book.close()


def _read_row(results: Sequence[Any], formulas: Sequence[Any]) -> Cells:
    texts: list[str] = []
    faults: dict[int, str] = {}
    for place, (result, formula) in enumerate(zip_longest(results, formulas)):
        value = getattr(result, "value", None)
        if getattr(formula, "data_type", "") == "f" and value is None:
            faults[place] = str(NO_RESULT)
        elif getattr(result, "data_type", "") == "e":
            faults[place] = gettext("The cell shows the error %(error)s. Correct its formula, or type the value.") % {
                "error": value
            }
        texts.append(_text(value))
    return texts, faults


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.6f}".rstrip("0").rstrip(".")
        case dt.datetime():
            return f"{value:%Y-%m-%d %H:%M}"
        case dt.date():
            return f"{value:%Y-%m-%d}"
        case dt.time():
            return f"{value:%H:%M}"
    return str(value)
