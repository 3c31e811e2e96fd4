"""The corpus of spoken phrases: menus of several trades and languages, and the right outcome of each phrase."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from agents.catalog.offers import Catalog, GroupOffer, ItemOffer, ModifierOffer, SizeOffer
from sessions.orders.draft import Line, Refused, apply_changes

FILE = Path(__file__).with_name("data") / "spoken_menus.txt"
ENTRY = re.compile(r"(?P<usual>\*?)(?P<name>.+?) = (?P<price>[0-9.]+)(?: ; (?P<aliases>.+))?")
ASK, REFUSE = "?", "!"


@dataclass(frozen=True, slots=True)
class Phrase:
    """`on` is the item whose modifier is spoken of, empty where the phrase names an item."""

    menu: str
    on: str
    said: str
    right: str

    def __str__(self) -> str:
        return f"{self.menu}: {f'{self.on}: ' if self.on else ''}“{self.said}” → {self.right}"


@dataclass(slots=True)
class Corpus:
    menus: dict[str, Catalog] = field(default_factory=dict)
    phrases: list[Phrase] = field(default_factory=list)


@dataclass(slots=True)
class Figures:
    """A wrong add is anything in the order that was not asked for, or asked to be left out; it is never right."""

    phrases: int = 0
    expected: int = 0
    added: int = 0
    wrong: list[str] = field(default_factory=list)
    needless: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float:
        return (self.added - len(self.wrong)) / max(self.added, 1)

    @property
    def recall(self) -> float:
        return (self.expected - len(self.needless)) / max(self.expected, 1)

    def __str__(self) -> str:
        return (
            f"{self.phrases} spoken phrases: precision {self.precision:.1%}, recall {self.recall:.1%}, "
            f"{len(self.wrong)} wrong, {len(self.needless)} needless questions "
            f"({len(self.needless) / max(self.phrases, 1):.1%})"
        )


def measure(corpus: Corpus) -> Figures:
    """Every phrase as a change of an empty order."""
    figures = Figures(len(corpus.phrases))
    for phrase in corpus.phrases:
        catalog = corpus.menus[phrase.menu]
        outcome = _modifiers(phrase, catalog) if phrase.on else _item(phrase, catalog)
        figures.expected += phrase.right not in (ASK, REFUSE)
        if outcome is None:
            if phrase.right not in (ASK, REFUSE):
                figures.needless.append(str(phrase))
            continue
        is_nothing = phrase.right == REFUSE and outcome == ""
        figures.added += not is_nothing
        if not is_nothing and outcome != phrase.right:
            figures.wrong.append(f"{phrase}, but {outcome or 'it was dropped silently'}")
    return figures


def _item(phrase: Phrase, catalog: Catalog) -> str | None:
    line = _ordered({"do": "add", "item": phrase.said}, catalog)
    if line is None:
        return None
    item = catalog.item(line.item_id)
    assert item is not None
    name = line.item
    if item.usual_size and line.size_id != item.usual_size.id:
        name = f"{name} {line.size}"
    name = f"{name} {_chosen(item, line)}".strip()
    return f"{name} @ {line.base_price:.2f}" if "@" in phrase.right else name


def _modifiers(phrase: Phrase, catalog: Catalog) -> str | None:
    item = next(item for item in catalog.items if item.name == phrase.on)
    line = _ordered({"do": "add", "item": item.name, "modifiers": [phrase.said]}, catalog)
    if line is None:
        return None
    return _chosen(item, line)


def _chosen(item: ItemOffer, line: Line) -> str:
    """What differs from the usual: added, then left out."""
    usual = Counter(modifier.name for group in item.groups for modifier in group.modifiers if modifier.is_default)
    chosen = Counter({pick.name: pick.quantity for pick in line.chosen})
    extra = sorted((chosen - usual).elements())
    missing = sorted((usual - chosen).elements())
    return " ".join([*(f"+{name}" for name in extra), *(f"-{name}" for name in missing)])


def _ordered(change: dict[str, object], catalog: Catalog) -> Line | None:
    """The line, or None where a question was asked."""
    try:
        (line,) = apply_changes([], [change], catalog)
    except Refused:
        return None
    return line


def load() -> Corpus:
    corpus = Corpus()
    for number, raw in enumerate(FILE.read_text("utf-8").splitlines(), 1):
        text = raw.strip()
        if text and not text.startswith("#"):
            try:
                _Reading(corpus).line(text)
            except (ValueError, AttributeError, IndexError, KeyError) as exc:
                raise ValueError(f"{FILE.name}, line {number}: {text}") from exc
    for name, catalog in corpus.menus.items():
        corpus.menus[name] = replace(catalog, items=tuple(map(_with_group, catalog.items)))
    return corpus


_ids = itertools.count(1)
_heading: dict[str, str] = {}


@dataclass
class _Reading:
    corpus: Corpus

    def line(self, text: str) -> None:
        kind, _, rest = text.partition(" ")
        match kind:
            case "menu":
                self.corpus.menus[rest] = Catalog("EUR", ())
            case "heading":
                _heading["now"] = rest
            case "item":
                self._put((*self._menu.items, _item_offer(rest)))
            case "size" | "mod":
                *others, item = self._menu.items
                self._put((*others, _with(item, kind, rest)))
            case "say" | "on":
                said, right = rest.rsplit(" => ", 1)
                on, said = said.split(": ", 1) if kind == "on" else ("", said)
                self.corpus.phrases.append(Phrase(self._name, on, said, _in_order(right)))
            case _:
                raise ValueError(kind)

    @property
    def _name(self) -> str:
        return list(self.corpus.menus)[-1]

    @property
    def _menu(self) -> Catalog:
        return self.corpus.menus[self._name]

    def _put(self, items: tuple[ItemOffer, ...]) -> None:
        self.corpus.menus[self._name] = replace(self._menu, items=items)


def _in_order(right: str) -> str:
    """Added modifiers by name, then those left out."""
    if not right.startswith(("+", "-")):
        return right
    parts = re.findall(r"[+-][^+]+?(?= [+-](?=[^\W\d_])|$)", right)
    return " ".join([*sorted(p for p in parts if p[0] == "+"), *sorted(p for p in parts if p[0] == "-")])


def _entry(text: str) -> tuple[bool, str, Decimal, tuple[str, ...]]:
    found = ENTRY.fullmatch(text)
    assert found is not None, text
    aliases = tuple(alias.strip() for alias in (found["aliases"] or "").split(",") if alias.strip())
    return bool(found["usual"]), found["name"], Decimal(found["price"]), aliases


def _item_offer(text: str) -> ItemOffer:
    _, name, price, aliases = _entry(text)
    return ItemOffer(next(_ids), name, price, aliases, category=_heading["now"])


def _with(item: ItemOffer, kind: str, text: str) -> ItemOffer:
    usual, name, price, aliases = _entry(text)
    if kind == "size":
        return replace(item, sizes=(*item.sizes, SizeOffer(next(_ids), name, price, aliases, is_default=usual)))
    modifier = ModifierOffer(next(_ids), name, price, aliases, is_default=usual)
    known = item.groups[0].modifiers if item.groups else ()
    return replace(item, groups=(GroupOffer(0, "Choices", 0, 12, (*known, modifier)),))


def _with_group(item: ItemOffer) -> ItemOffer:
    return replace(item, groups=tuple(replace(group, id=next(_ids)) for group in item.groups))


def by_menu(corpus: Corpus) -> Iterator[tuple[str, Corpus]]:
    for name in corpus.menus:
        yield name, Corpus(corpus.menus, [phrase for phrase in corpus.phrases if phrase.menu == name])
