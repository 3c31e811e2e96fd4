"""What a file of a menu says, as text: one row for each thing on the menu, whatever the file's format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext

from voiceapp.core.errors import ApplicationError

MIB = 1024 * 1024
MAX_FILE_BYTES = 5 * MIB
MAX_ROWS = 5_000
MAX_COLUMNS = 100
MAX_CELL_CHARACTERS = 1_000
MOST_PROBLEMS = 100


class UnreadableFile(ApplicationError):
    """The file as a whole cannot be read: why, and what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """`number` as a spreadsheet counts, headings included. `cells` by column; `faults` are cells without a value."""

    number: int
    cells: Mapping[str, str]
    faults: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Table:
    """`columns` are those that the file has; `notes` say how it was read."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to correct. `row` 0 and an empty `column`: it is about the file."""

    row: int
    column: str
    text: str

    def __str__(self) -> str:
        place = ", ".join(
            part
            for part in (self.row and gettext("row %(row)s") % {"row": self.row}, self.column and f"“{self.column}”")
            if part
        )
        return f"{place.capitalize()}: {self.text}" if place else self.text


def too_many_rows() -> UnreadableFile:
    return UnreadableFile(
        gettext("The file has more than %(max_rows)s rows. Remove the ones that you do not need, or split it.")
        % {"max_rows": MAX_ROWS}
    )
