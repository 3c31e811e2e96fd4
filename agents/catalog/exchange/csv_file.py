"""A menu as CSV. Text that a spreadsheet would take for a formula is written with an apostrophe before it."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .table import MAX_ROWS, UnreadableFile, too_many_rows

# A spreadsheet runs what begins so.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
SEPARATORS = (",", ";", "\t", "|")
BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
ENCODING_NOTE = _("The file is not in UTF-8 and was read as Windows-1252 (Latin-1): check letters with accents below.")


def write_csv(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """UTF-8 with a byte order mark, without which Excel takes it for another encoding."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(headings)
    writer.writerows([_escaped(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def read_csv(content: bytes) -> tuple[list[list[str]], tuple[str, ...]]:
    """Every row, headings included, and how the file was read. Raises UnreadableFile."""
    text, notes = _decoded(content)
    rows = list(_rows(text))
    return [[_unescaped(cell) for cell in row] for row in rows], notes


def _rows(text: str) -> Iterator[list[str]]:
    first = text.lstrip("\r\n").split("\n", 1)[0]
    separator = max(SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for number, row in enumerate(reader):
            if number > MAX_ROWS:
                raise too_many_rows()
            yield row
    except csv.Error as exc:
        raise UnreadableFile(
            gettext(
                "The CSV file cannot be read from line %(line_num)s on: %(exc)s. Look for a quotation mark "
                "that is not closed, or save the file as XLSX and upload that."
            )
            % {"line_num": reader.line_num, "exc": exc}
        ) from exc


def _decoded(content: bytes) -> tuple[str, tuple[str, ...]]:
    for mark, encoding in BOMS:
        if content.startswith(mark):
            try:
                return content.decode(encoding), ()
            except UnicodeDecodeError as exc:
                raise UnreadableFile(
                    gettext("The file is damaged. Save it again as CSV (UTF-8) and upload that.")
                ) from exc
    if b"\0" in content[:2000]:
        return _utf16(content), ()
    try:
        return content.decode("utf-8"), ()
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace"), (str(ENCODING_NOTE),)


def _utf16(content: bytes) -> str:
    """Without a byte order mark; every second byte of Western text is zero."""
    encoding = "utf-16-be" if content[:1] == b"\0" else "utf-16-le"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as exc:
        raise UnreadableFile(
            gettext("The file is no CSV text. Save the table as CSV or XLSX and upload that.")
        ) from exc
    if "\0" in text:
        raise UnreadableFile(gettext("The file is no CSV text. Save the table as CSV or XLSX and upload that."))
    return text


def _escaped(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA_SIGNS) else cell


def _unescaped(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA_SIGNS) else cell
