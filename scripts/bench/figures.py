"""A figure of the bench: ours beside the reference's, as a line for machines and a row for reading."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """`bar` is only shown: a figure that is `void` or `wrong` fails the command, one that is slow never does."""

    name: str
    ours: float
    reference: float | None = None
    bar: str = ""
    void: str = ""
    wrong: bool = False
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return round(self.ours / self.reference, 3) if self.reference else None

    def as_line(self) -> str:
        reference = None if self.reference is None else round(self.reference, 3)
        line = {"name": self.name, "ours": round(self.ours, 3), "reference": reference, "ratio": self.ratio}
        return json.dumps(line | ({"void": True} if self.void else {}))


@dataclass(frozen=True, slots=True)
class Table:
    """Figures that prove something together: a sentence says what."""

    proves: str
    figures: Sequence[Figure]

    def __str__(self) -> str:
        return f"{self.proves}\n{table(self.figures)}" if self.figures else self.proves

    def failed(self) -> bool:
        return any(figure.void or figure.wrong for figure in self.figures)


def table(figures: Sequence[Figure]) -> str:
    rows = [("figure", "ours", "reference", "ratio", "should be", "")]
    for figure in figures:
        remark = f"VOID: {figure.void}" if figure.void else "WRONG" if figure.wrong else figure.note
        numbers = (_short(figure.ours), _short(figure.reference), _short(figure.ratio))
        rows.append((figure.name, *numbers, figure.bar, remark))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    name, *numbers, bar, remark = row
    aligned = [number.rjust(width) for number, width in zip(numbers, widths[1:4], strict=True)]
    return "  ".join([name.ljust(widths[0]), *aligned, bar.ljust(widths[4]), remark]).rstrip()


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}".removesuffix(".00")
