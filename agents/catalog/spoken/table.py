"""What small words mean: the shipped table (words.json) and what an organization adds to it."""

from __future__ import annotations

import enum
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache, lru_cache
from pathlib import Path

from .folding import fold, plain_text, spellings

SHIPPED = Path(__file__).with_name("words.json")


class Role(enum.StrEnum):
    """What a word does. The first six are the only ones that may be dropped."""

    FILLER = "filler"
    FILLER_AFTER = "filler_after"  # “one”: dropped in “the large one”, a number where it comes first
    COUNTER = "counter"  # “x” and “times”: dropped after a number
    WITH = "with"
    AND = "and"
    OF = "of"
    WITHOUT = "without"  # negates what follows
    WITHOUT_NEXT = "without_next"  # negates the next word
    FREE = "free"  # negates the word before it
    LESS = "less"
    MORE = "more"
    ONLY = "only"
    ASIDE = "aside"
    SIDE_OF = "side_of"
    QUALIFIER = "qualifier"  # vegan, decaf, diet: on both sides or on neither
    TIMES = "times"
    NUMBER = "number"
    CONTENT = "content"  # an ordinary word, whatever else it would mean


# Where two languages mean different things by a word, the careful meaning holds.
BY_WEIGHT = (
    Role.CONTENT, Role.QUALIFIER, Role.WITHOUT, Role.WITHOUT_NEXT, Role.LESS, Role.ONLY, Role.ASIDE, Role.SIDE_OF,
    Role.TIMES, Role.MORE, Role.FILLER_AFTER, Role.NUMBER, Role.FREE, Role.AND, Role.WITH, Role.OF, Role.COUNTER,
    Role.FILLER,
)  # fmt: skip
SIMPLE = tuple(role for role in BY_WEIGHT if role not in (Role.QUALIFIER, Role.TIMES, Role.NUMBER))
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Meaning:
    """`value`: which qualifier, or how many."""

    role: Role
    value: str | Fraction = ""


@dataclass(frozen=True, eq=False)
class WordTable:
    """Compared by identity, so that what was read with it can be cached."""

    meanings: Mapping[Key, Meaning]
    prefixes: Mapping[str, Meaning]
    suffixes: Mapping[str, Meaning]
    units: Mapping[str, tuple[str, Fraction]]
    known: frozenset[str]
    may_be_unsaid: frozenset[str]
    must_be_said: frozenset[str]
    side_headings: frozenset[str]
    longest: int = field(default=1)

    def meaning(self, words: Key) -> Meaning | None:
        """What these words, as `plain_text` leaves them, mean together."""
        return self.meanings.get(tuple(map(fold, words)))

    def extended(self, entries: tuple[tuple[str, str], ...]) -> WordTable:
        """With an organization's own (kind, words): a role of one word or more, or `known` for what is no slip."""
        return _extended(self, tuple(sorted(entries))) if entries else self


OWN_ROLES = (
    Role.FILLER, Role.WITH, Role.AND, Role.WITHOUT, Role.FREE, Role.LESS, Role.MORE, Role.ONLY, Role.ASIDE,
    Role.CONTENT,
)  # fmt: skip
KNOWN = "known"


@lru_cache(maxsize=256)
def _extended(table: WordTable, entries: tuple[tuple[str, str], ...]) -> WordTable:
    meanings = dict(table.meanings)
    known = set(table.known)
    for kind, text in entries:
        if kind == KNOWN:
            known.update(spellings(plain_text(text)))
        elif kind in OWN_ROLES:
            meanings.update(dict.fromkeys(_keys(text), Meaning(Role(kind))))
    return replace(table, meanings=meanings, known=frozenset(known), longest=_longest(meanings))


def _keys(text: str) -> Iterator[Key]:
    """The phrase in each spelling, as its tokens are looked up."""
    words = plain_text(text).replace("'", " ").replace("-", " ").split()
    glued = plain_text(text).replace("'", "").replace("-", " ").split()
    for tokens in (words, glued):
        yield tuple(map(fold, tokens))
        yield tuple(max(spellings(word), key=len) for word in tokens)


def _longest(meanings: Mapping[Key, Meaning]) -> int:
    return max(map(len, meanings))


@cache
def _load() -> WordTable:
    shipped = json.loads(SHIPPED.read_text("utf-8"))
    meanings: dict[Key, Meaning] = {}
    affixes: dict[str, dict[str, Meaning]] = {"prefixes": {}, "suffixes": {}}
    languages = shipped["languages"].values()
    for role in reversed(BY_WEIGHT):
        for text, meaning in _entries(role, shipped, languages):
            meanings.update(dict.fromkeys(_keys(text), meaning))
    for language in languages:
        for kind, found in affixes.items():
            for role, texts in language.get(kind, {}).items():
                for text in texts:
                    found[fold(plain_text(text))] = _affix(Role(role), text, language)
    units = {
        spelling: (measure, Fraction(factor))
        for text, (measure, factor) in shipped["units"].items()
        for spelling in spellings(plain_text(text))
    }
    return WordTable(
        meanings, affixes["prefixes"], affixes["suffixes"], units,
        _spelled(shipped["known_words"]), _spelled(shipped["may_be_unsaid"]),
        _spelled(shipped["must_be_said"]), _spelled(shipped["side_headings"]),
        _longest(meanings),
    )  # fmt: skip


def _entries(
    role: Role, shipped: Mapping[str, Mapping[str, Iterable[str]]], languages: Iterable[Mapping[str, object]]
) -> Iterator[tuple[str, Meaning]]:
    if role is Role.QUALIFIER:
        for name, texts in shipped["qualifiers"].items():
            yield from ((text, Meaning(role, name)) for text in texts)
    for language in languages:
        if role in (Role.TIMES, Role.NUMBER):
            numbers = language.get("times" if role is Role.TIMES else "numbers", {})
            assert isinstance(numbers, dict)
            yield from ((text, Meaning(role, Fraction(value))) for text, value in numbers.items())
        else:
            words = language.get(role, ())
            assert isinstance(words, list | tuple)
            yield from ((text, Meaning(role)) for text in words)


def _affix(role: Role, text: str, language: Mapping[str, object]) -> Meaning:
    if role is not Role.TIMES:
        return Meaning(role)
    times = language["times"]
    assert isinstance(times, dict)
    return Meaning(role, Fraction(times[text]))


def _spelled(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(spelling for text in texts for spelling in spellings(plain_text(text)))


DEFAULT_TABLE = _load()
