"""The phrases of a telephone order by their meaning. The phrases are in phrases.txt."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from pathlib import Path


class Meaning(StrEnum):
    """The meaning of a phrase. Counts, sizes, modifiers, items, categories and targets come from the menu."""

    HELLO = "hello"
    FILLER = "filler"
    LEAD = "lead"
    AND = "and"
    WITH = "with"
    WITHOUT = "without"
    TO = "to"
    IN = "in"
    ON = "on"
    ON_THE = "on the"
    MAKE_THE = "make the"
    PLEASE = "please"
    COST = "cost"
    KINDS = "kinds"
    DO_YOU_HAVE = "do you have"
    CATEGORY = "category"
    TARGET = "target"
    MAKE = "make"
    CHANGE = "change"
    REMOVE = "remove"
    THAT = "that"
    FIX = "fix"
    INSTEAD = "instead"
    SAME = "same"
    RESTART = "restart"
    YES = "yes"
    NO = "no"
    DONE = "done"
    BYE = "bye"
    THANKS = "thanks"
    HOURS = "hours"
    PRICE = "price"
    HAVE = "have"
    MENU = "menu"
    SIZES = "sizes"
    TOTAL = "total"
    AGAIN = "again"
    PERSON = "person"
    TEXT = "text"
    COUNT = "count"
    SIZE = "size"
    MODIFIER = "modifier"
    ITEM = "item"


PHRASES_FILE = Path(__file__).with_name("phrases.txt")


@lru_cache(maxsize=1)
def phrases() -> dict[Meaning, list[str]]:
    """All fixed phrases."""
    lines = [line for line in PHRASES_FILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    found: dict[Meaning, list[str]] = {}
    for kind, patterns in re.findall(r"^([a-z ]+):\n((?:    .*\n?)+)", "\n".join(lines), re.MULTILINE):
        parts = " ".join(patterns.split()).split(";")
        found[Meaning(kind)] = list(dict.fromkeys(form for part in parts for form in expand(part.strip())))
    return found


def expand(pattern: str) -> list[str]:
    """`[please] {can|could} you` → its four forms."""
    found = re.search(r"\[([^\]\[{}]*)\]|\{([^\]\[{}]*)\}", pattern)
    if found is None:
        return [" ".join(pattern.split())]
    inside = found[1] if found[1] is not None else found[2]
    choices = inside.split("|") + ([""] if found[1] is not None else [])
    return [form for choice in choices for form in expand(pattern[: found.start()] + choice + pattern[found.end() :])]
