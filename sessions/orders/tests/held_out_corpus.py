"""A second corpus, in part written apart from the rules: menus, and phrases with the whole line that comes of each."""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from itertools import count
from pathlib import Path

from agents.catalog.offers import Catalog, GroupOffer, ItemOffer, ModifierOffer, SizeOffer
from sessions.orders.draft import Refused, apply_changes

DATA = Path(__file__).with_name("data")
ITEM = re.compile(
    r"(?P<name>[^=@#~]+?)(?: (?P<price>\d+\.\d\d))?"
    r"(?: = (?P<aliases>[^@#~]+?))?(?: @(?P<groups>[^#~]+?))?(?: #(?P<sizes>[^~]+?))?(?: ~(?P<description>.+))?$"
)
CHOICE = re.compile(r"(?P<name>[^=+]+?)(?P<default>\*)?(?: \+(?P<price>[\d.]+))?(?: = (?P<aliases>.+))?$")
SIZE = re.compile(r"(?P<name>.+?)(?P<default>\*)? (?P<price>\d+(?:\.\d\d)?)(?:/|$)")


class Outcome(enum.StrEnum):
    """What comes of a phrase: a line, a question, or a sentence that says no."""

    ADD = "add"
    ASK = "ask"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Case:
    """One phrase; `line` is the whole line that has to be added, as `shown` writes it."""

    menu: str
    change: dict[str, object]
    outcome: Outcome
    line: str
    text: str


@dataclass(frozen=True, slots=True)
class Result:
    case: Case
    outcome: Outcome
    line: str
    say: str

    @property
    def is_wrong_add(self) -> bool:
        """Something was added that was not wanted, or not as it was wanted."""
        return self.outcome is Outcome.ADD and (self.case.outcome is not Outcome.ADD or self.line != self.case.line)

    @property
    def is_needless(self) -> bool:
        return self.outcome is not Outcome.ADD and self.case.outcome is Outcome.ADD

    def __str__(self) -> str:
        return f"{self.case.text}\n    got {self.outcome} {self.line or self.say}"


def run(case: Case) -> Result:
    try:
        (line,) = apply_changes((), [case.change], menus()[case.menu])
    except Refused as refused:
        outcome = Outcome.ASK if refused.say.endswith("?") else Outcome.REFUSE
        return Result(case, outcome, "", refused.say)
    return Result(case, Outcome.ADD, shown(line.quantity, line.item, line.size, line.said), "")


def shown(quantity: int, item: str, size: str, choices: tuple[str, ...]) -> str:
    """“2 Cola / large {ice}”."""
    return f"{quantity} {item} / {size} {{{', '.join(sorted(choices))}}}"


def cases() -> Iterator[Case]:
    for line in (DATA / "held_out_phrases.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            yield _case(line)


def _case(text: str) -> Case:
    menu, item, options, expected = (part.strip() for part in text.split(" |"))
    change: dict[str, object] = {"do": "add", "item": item}
    modifiers: list[str] = []
    for option in filter(None, options.split("; ")):
        name, _, value = option.partition("=")
        if name == "mod":
            modifiers.append(value)
        else:
            change["quantity" if name == "qty" else name] = int(value) if name == "qty" else value
    if modifiers:
        change["modifiers"] = modifiers
    outcome, _, rest = expected.partition(" ")
    return Case(menu, change, Outcome(outcome), _line(rest) if rest else "", text)


def _line(text: str) -> str:
    rest, _, choices = text.rstrip("}").partition(" {")
    name, _, size = rest.partition(" / ")
    number = re.match(r"(\d+) (?=\D|\d+ )", name) if not name.startswith("7 ") else None
    quantity = int(number[1]) if number else 1
    return shown(quantity, name[number.end() :] if number else name, size, tuple(filter(None, choices.split(", "))))


@cache
def menus() -> dict[str, Catalog]:
    written = json.loads((DATA / "held_out_menus.json").read_text("utf-8"))
    return {name: _menu(menu) for name, menu in written.items()}


def _menu(written: dict[str, object]) -> Catalog:
    ids = count(1)
    groups = {}
    listed = written["groups"]
    assert isinstance(listed, dict)
    for name, (minimum, maximum, choices) in listed.items():
        groups[name] = GroupOffer(next(ids), name, minimum, maximum, tuple(_choice(text, ids) for text in choices))
    items = [
        _item(text, heading, groups, ids)
        for heading, texts in written.items()
        if heading != "groups" and isinstance(texts, list)
        for text in texts
    ]
    return Catalog("EUR", tuple(items))


def _item(text: str, heading: str, groups: dict[str, GroupOffer], ids: Iterator[int]) -> ItemOffer:
    found = ITEM.match(text)
    assert found, text
    sizes = tuple(
        SizeOffer(next(ids), size["name"].strip(), Decimal(size["price"]), is_default=bool(size["default"]))
        for size in SIZE.finditer(found["sizes"] or "")
    )
    return ItemOffer(
        next(ids),
        found["name"],
        Decimal(found["price"] or 0),
        spoken_forms=_aliases(found["aliases"]),
        category=heading,
        description=found["description"] or "",
        sizes=sizes,
        groups=tuple(groups[name] for name in (found["groups"] or "").split(",") if name),
    )


def _choice(text: str, ids: Iterator[int]) -> ModifierOffer:
    found = CHOICE.match(text)
    assert found, text
    return ModifierOffer(
        next(ids),
        found["name"],
        Decimal(found["price"] or 0),
        spoken_forms=_aliases(found["aliases"]),
        is_default=bool(found["default"]),
    )


def _aliases(text: str | None) -> tuple[str, ...]:
    return tuple(alias.strip() for alias in (text or "").split(",") if alias.strip())
