"""Finds what a caller means by a name, word by word: slips and other forms are forgiven, another word is not."""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from agents.catalog.offers import Offer
from agents.catalog.spoken import (  # fmt: skip
    DEFAULT_TABLE,
    EMPTY,
    LONGEST_NAME,
    Comparison,
    Ear,
    Likeness,
    Phrase,
    Word,
    WordTable,
    closest,
    compare,
    heads,
    read_phrase,
)
from agents.catalog.spoken.folding import fold, spellings

__all__ = ["LONGEST_NAME", "Match", "Names", "Short", "closest_names", "either", "names_of"]

O = TypeVar("O", bound=Offer)  # noqa: E741 - the usual one-letter name of a type
# As much of a word as its compounds begin with: “milk” and “Milkshake”, “Cheeseburger” and “Cheese”.
JOINED_START = 3
Spoken = tuple[str, tuple[str, ...], str]  # name, other forms, heading


class Short(enum.Enum):
    """How much of a name may stay unsaid, besides words like “fresh”. Never a negation or a qualifier."""

    NOTHING = enum.auto()
    THE_HEADING = enum.auto()  # “BBQ” for the BBQ sauce under Sauce
    ALL_BUT_THE_HEAD = enum.auto()  # “soup” for the Chicken soup, “caesar” for the Caesar salad
    ANYTHING = enum.auto()


@dataclass(frozen=True, slots=True)
class Form:
    """One name of an offer, as its words."""

    index: int
    phrase: Phrase
    heading: Phrase
    is_alias: bool


@dataclass(frozen=True, slots=True)
class Match(Generic[O]):
    """An offer beside what was said. `rank`: the less the better."""

    offer: O
    form: Form
    comparison: Comparison
    rank: tuple[int, ...]


class Names(Generic[O]):
    """Offers, ready to be found by what is said of them."""

    def __init__(self, offers: Sequence[O], prepared: _Prepared, table: WordTable) -> None:
        self.offers = offers
        self.table = table
        self.ear = prepared.ear
        self._prepared = prepared

    def compared(self, said: Phrase, *, needs_whole_heading: bool = True) -> Iterator[Match[O]]:
        """Every form that may have to do with it."""
        for form, comparison in _compared(self._prepared, said, needs_whole_heading):
            yield Match(self.offers[form.index], form, comparison, _rank(form, comparison))

    def understood(self, said: Phrase, short: Short = Short.NOTHING) -> list[Match[O]]:
        """The best of those of whose names (and headings) every word was said, or enough for `short`."""
        found = [
            match
            for match in self.compared(said)
            if match.comparison.is_understood and self.is_enough(match.form, match.comparison, short)
        ]
        return best(found)

    def is_enough(self, form: Form, comparison: Comparison, short: Short) -> bool:
        """Whether what was said of a name stands for all of it."""
        missing = comparison.missing
        if missing.marks or any(word.is_negated for word in missing.words):
            return False
        if any(not amount.measure and amount.value < 1 for amount in missing.amounts):
            return False
        unsaid = [word for word in missing.words if not self._may_be_unsaid(word, form, short)]
        if not unsaid or (short is Short.ANYTHING and comparison.covered):
            return not missing.amounts or bool(comparison.covered) or not form.phrase.words
        if short is not Short.ALL_BUT_THE_HEAD or not comparison.covered:
            return False
        if any(not self.table.must_be_said.isdisjoint(spellings(word.text)) for word in unsaid):
            return False
        return self._has_head(form, comparison, unsaid)

    def _may_be_unsaid(self, word: Word, form: Form, short: Short) -> bool:
        if not spellings(word.text).isdisjoint(self.table.may_be_unsaid):
            return True
        return short is Short.THE_HEADING and self.is_of_heading(word, form)

    def _has_head(self, form: Form, comparison: Comparison, unsaid: Sequence[Word]) -> bool:
        """Whether the words said are the ones by which people call it for short."""
        first, *joined = heads(form.phrase)
        if any(head in unsaid for head in joined):
            return False
        if all(self.is_of_heading(word, form) for word in comparison.covered):
            return False  # “salad” is not the Mixed Salad where there are other salads
        # “taco de carne” is not the Taco de carne asada: what follows “de” is said whole or not at all.
        begun = {word.part for word in comparison.covered if word.part != first.part}
        later = [word for word in unsaid if word.part != first.part]
        if any(word.part in begun for word in unsaid) or (later and self._is_known(first)):
            return False
        missing = [word for word in unsaid if word.part == first.part]
        if first not in missing:
            # “soup” is the Chicken Soup, “salmon roll” is not the Salmon Avocado Roll.
            return not missing or (len(missing) == 1 and len(comparison.covered) == 1)
        named = [word for word in comparison.covered if word.part == first.part]
        return bool(named) and not any(self._is_known(word) for word in named)

    def _is_known(self, word: Word) -> bool:
        return not spellings(word.text).isdisjoint(self.table.known)

    def near(self, said: Phrase, *, most: int = 3) -> list[Match[O]]:
        """Those that share a word with it besides that of their heading, the nearest first, one for each name."""
        compared = self.compared(said, needs_whole_heading=False)
        sharing = [
            match
            for match in compared
            if any(not self.is_of_heading(word, match.form) for word in match.comparison.covered)
        ]
        sharing.sort(key=lambda match: (len(match.comparison.spare.words), len(match.comparison.missing.words)))
        by_name: dict[str, Match[O]] = {}
        for match in sharing:
            by_name.setdefault(match.offer.name, match)
        return list(by_name.values())[:most]

    def is_of_heading(self, word: Word, form: Form) -> bool:
        return any(self.ear.likeness(word.text, head.text) is not None for head in form.heading.words)


def names_of(
    offers: Sequence[O], table: WordTable = DEFAULT_TABLE, *, headings: Sequence[str] = (), beside: Iterable[str] = ()
) -> Names[O]:
    """The names of these offers. `beside` are other names on offer: a slip that makes a word of theirs is none."""
    spoken = tuple(
        (offer.name, tuple(offer.spoken_forms), heading)
        for offer, heading in zip(offers, headings or [""] * len(offers), strict=True)
    )
    return Names(offers, _prepare(spoken, tuple(beside), table), table)


def best(matches: Iterable[Match[O]]) -> list[Match[O]]:
    """The matches of the best rank, each offer once."""
    matches = sorted(matches, key=lambda match: match.rank)
    by_id: dict[int, Match[O]] = {}
    for match in matches:
        if match.rank == matches[0].rank:
            by_id.setdefault(match.offer.id, match)
    return list(by_id.values())


def closest_names(query: str, offers: Iterable[Offer], *, most: int = 3) -> list[str]:
    """Names that look like it, for asking back."""
    return closest(query, [offer.name for offer in offers], most=most)


def either(names: Sequence[str]) -> str:
    """“a, b or c”."""
    return f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else "".join(names)


def _rank(form: Form, comparison: Comparison) -> tuple[int, ...]:
    return (
        comparison.likeness is Likeness.MISSPELLED,
        not comparison.is_complete,
        comparison.uses_heading,
        form.is_alias,
        comparison.likeness,
    )


class _Prepared:
    """The forms of a menu by their words; made once for a menu."""

    def __init__(self, spoken: Sequence[Spoken], beside: Sequence[str], table: WordTable) -> None:
        self.forms: list[Form] = []
        vocabulary: set[str] = set()
        for index, (name, others, heading) in enumerate(spoken):
            title = read_phrase(heading, table) if heading else EMPTY
            vocabulary.update(word.text for word in title.words)
            for text in (name, *others):
                self.forms.append(Form(index, read_phrase(text, table), title, text is not name))
        vocabulary.update(word.text for form in self.forms for word in form.phrase.words)
        vocabulary.update(word.text for name in beside for word in read_phrase(name, table).words)
        self.ear = Ear(vocabulary, table)
        self._by_word: defaultdict[str, set[int]] = defaultdict(set)
        for number, form in enumerate(self.forms):
            for word in (*form.phrase.words, *form.heading.words):
                self._by_word[word.text].add(number)
        self._without_words = {number for number, form in enumerate(self.forms) if not form.phrase.words}
        self._by_letter: defaultdict[str, list[str]] = defaultdict(list)
        for text in self._by_word:
            self._by_letter[fold(text)[:1]].append(text)

    def candidates(self, said: Phrase) -> list[Form]:
        """Forms with a word like one of those said, or one that may be joined with others; those without words."""
        numbers = set(self._without_words)
        for word in said.words:
            start = fold(word.text)[:JOINED_START]
            for text in self._by_letter.get(start[:1], ()):
                if fold(text).startswith(start) or self.ear.likeness(word.text, text) is not None:
                    numbers |= self._by_word[text]
        return [self.forms[number] for number in sorted(numbers)]


@lru_cache(maxsize=512)
def _prepare(spoken: tuple[Spoken, ...], beside: tuple[str, ...], table: WordTable) -> _Prepared:
    return _Prepared(spoken, beside, table)


@lru_cache(maxsize=256)
def _compared(prepared: _Prepared, said: Phrase, needs_whole_heading: bool) -> list[tuple[Form, Comparison]]:
    return [
        (form, compare(said, form.phrase, prepared.ear, form.heading, needs_whole_heading=needs_whole_heading))
        for form in prepared.candidates(said)
    ]
