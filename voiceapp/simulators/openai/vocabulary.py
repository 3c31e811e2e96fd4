"""What may be said when ordering by telephone, by what it means. The phrases themselves stand in phrases.txt."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from pathlib import Path


class Kind(StrEnum):
    """What a phrase means. Counts, sizes, modifiers, items, categories and targets come from the menu."""

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
    COUNT = "count"
    SIZE = "size"
    MODIFIER = "modifier"
    ITEM = "item"


PHRASES_FILE = Path(__file__).with_name("phrases.txt")


@lru_cache(maxsize=1)
def phrases() -> dict[Kind, list[str]]:
    """Every phrase of every fixed kind, spelled out."""
    lines = [line for line in PHRASES_FILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    found: dict[Kind, list[str]] = {}
    for kind, patterns in re.findall(r"^([a-z ]+):\n((?:    .*\n?)+)", "\n".join(lines), re.MULTILINE):
        parts = " ".join(patterns.split()).split(";")
        found[Kind(kind)] = list(dict.fromkeys(form for part in parts for form in expand(part.strip())))
    return found


def expand(pattern: str) -> list[str]:
    """`[please] {can|could} you` → its four forms, shortest choice of words last."""
    found = re.search(r"\[([^\]\[{}]*)\]|\{([^\]\[{}]*)\}", pattern)
    if found is None:
        # What stands in a choice in brackets was marked as one choice before.
        return [" ".join(pattern.split())]
    inside = found[1] if found[1] is not None else found[2]
    choices = inside.split("|") + ([""] if found[1] is not None else [])
    return [form for choice in choices for form in expand(pattern[: found.start()] + choice + pattern[found.end() :])]
