"""A figure of the bench: ours beside the reference's, as a line for machines and a row for reading."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

_BOUND = re.compile(r"(under|at most|at least) ([\d.]+)( times)?")


@dataclass(frozen=True, slots=True)
class Figure:
    """`bar` says what it should be: a bound, as in "under 80" or "at most 1.5 times" (the reference's), or "0".

    One that is `void` or `wrong` fails the command; one that is only outside its bound never does.
    """

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

    @property
    def holds(self) -> bool | None:
        """Whether it is as it should be; None if there is no bound, or nothing to conclude."""
        if self.void:
            return None
        if self.bar == "0":
            return self.ours == 0
        bound = _BOUND.match(self.bar)
        value = self.ratio if bound and bound[3] else self.ours
        if bound is None or value is None:
            return None
        limit = float(bound[2])
        return {"under": value < limit, "at most": value <= limit, "at least": value >= limit}[bound[1]]

    @property
    def remark(self) -> str:
        if self.void or self.wrong:
            return f"VOID: {self.void}" if self.void else "WRONG"
        verdict = {True: "holds", False: "MISSED", None: ""}[self.holds]
        return "; ".join(filter(None, (verdict, self.note)))

    def as_line(self) -> str:
        reference = None if self.reference is None else round(self.reference, 3)
        line = {"name": self.name, "ours": round(self.ours, 3), "reference": reference, "ratio": self.ratio}
        bound = {} if self.holds is None else {"bound": self.bar, "holds": self.holds}
        return json.dumps(line | bound | ({"void": True} if self.void else {}))


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
        numbers = (_short(figure.ours), _short(figure.reference), _short(figure.ratio))
        rows.append((figure.name, *numbers, figure.bar, figure.remark))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(_line(row, widths) for row in rows)


def verdict(tables: Sequence[Table]) -> str:
    """How many of the figures with a bound are within it, and which are not."""
    bounded = sum(figure.holds is not None for each in tables for figure in each.figures)
    outside = [Table(each.proves, [figure for figure in each.figures if figure.holds is False]) for each in tables]
    outside = [each for each in outside if each.figures]
    within = bounded - sum(len(each.figures) for each in outside)
    end = " Not:" if outside else ""
    return "\n\n".join([f"{within} of {bounded} figures with a bound are within it.{end}", *map(str, outside)])


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    name, *numbers, bar, remark = row
    aligned = [number.rjust(width) for number, width in zip(numbers, widths[1:4], strict=True)]
    return "  ".join([name.ljust(widths[0]), *aligned, bar.ljust(widths[4]), remark]).rstrip()


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}".removesuffix(".00")
