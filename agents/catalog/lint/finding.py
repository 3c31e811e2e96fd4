"""What the linter says of a menu."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Severity(enum.IntEnum):
    """`PROBLEM`: callers cannot order it, or get another thing. `WARNING`: they may. `NOTE`: worth a look."""

    PROBLEM = 0
    WARNING = 1
    NOTE = 2

    @property
    def label(self) -> str:
        return self.name.capitalize()


class Rule(enum.StrEnum):
    SOUNDS_ALIKE = "sounds-alike"
    SAME_NAME = "same-name"
    SAME_ALIAS = "same-alias"
    SPOKEN_NAME = "spoken-name"
    LONG_NAME = "long-name"
    GROUP_CANNOT_BE_MET = "group-cannot-be-met"
    GROUP_NOT_ASKED = "group-not-asked"
    GROUP_DEFAULTS = "group-defaults"
    NO_PRICE = "no-price"
    PRICE_ZERO = "price-zero"
    NEVER_SOLD = "never-sold"
    SOLD_OUT = "sold-out"


@dataclass(frozen=True, slots=True)
class Fix:
    """A button: what it does (agents/catalog/lint/fixes.py), to which row, with which text."""

    action: str
    label: str
    kind: str
    pk: int
    text: str = ""

    @property
    def key(self) -> str:
        """For the button; it is looked up among the menu's findings before it is done."""
        return f"{self.action}:{self.kind}:{self.pk}:{self.text}"


@dataclass(frozen=True, slots=True)
class Finding:
    """`page` and `page_pk` are the row on whose page it is mended, `field` the field there."""

    rule: Rule
    severity: Severity
    text: str
    page: str
    page_pk: int
    field: str = ""
    fix: Fix | None = None
