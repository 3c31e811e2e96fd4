"""What differs between two texts, line by line as a person reads it."""

from __future__ import annotations

import difflib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DiffLine:
    """`mark` is + (new), - (gone) or a space (as before)."""

    mark: str
    text: str


def normal_text(text: str) -> str:
    """As the model reads it: line endings are no difference."""
    return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")


def compare(old: str, new: str) -> list[DiffLine]:
    """Lines of both, with three lines of unchanged text around each change."""
    lines = []
    for line in difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=3):
        if line.startswith(("---", "+++")):
            continue
        lines.append(DiffLine(" ", "…") if line.startswith("@@") else DiffLine(line[0], line[1:]))
    return lines[1:] if lines and lines[0].text == "…" else lines
