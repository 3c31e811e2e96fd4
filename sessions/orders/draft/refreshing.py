"""Checks a draft again with the current menu."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agents.catalog.offers import Catalog

from .changes import item_of, make_line, size_of
from .choices import keep
from .limits import check_limits
from .lines import Line
from .refusal import Refused


@dataclass(frozen=True, slots=True)
class Refreshed:
    """The lines at the prices of now; sentences on what has changed, and on what cannot be had any more."""

    lines: tuple[Line, ...]
    changed: tuple[str, ...]
    problems: tuple[str, ...]


def refresh(lines: Sequence[Line], catalog: Catalog) -> Refreshed:
    """Price every line anew. One that cannot be had stays as it was: the caller decides what becomes of it."""
    now: list[Line] = []
    changed: list[str] = []
    problems: list[str] = []
    for line in lines:
        try:
            item = item_of(line, catalog)
            size = size_of(line, item)
            chosen = keep(item, line.chosen)
        except Refused as refusal:
            problems.append(refusal.say)
            now.append(line)
            continue
        fresh = make_line(item, size, chosen, number=line.number, quantity=line.quantity, note=line.note)
        now.append(fresh)
        if fresh.unit_price != line.unit_price:
            changed.append(f"The price of the {fresh.size} {fresh.item} has changed.".replace("  ", " "))
    if not problems:
        try:
            check_limits(now, catalog)
        except Refused as refusal:
            problems.append(refusal.say)
    return Refreshed(tuple(now), tuple(dict.fromkeys(changed)), tuple(dict.fromkeys(problems)))
