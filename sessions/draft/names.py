"""Finds what a caller means by a name, word by word: slips and other forms are forgiven, another word is not."""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from agents.offers import ItemOffer, Offer
from agents.spoken import DEFAULT_TABLE, LONGEST_NAME, Ear, Phrase, Role, Word, WordTable, closest, read_phrase
from agents.spoken.comparison import EMPTY, Comparison, compare, heads
from agents.spoken.folding import fold, spellings
from agents.spoken.likeness import Likeness

__all__ = ["LONGEST_NAME", "Match", "Names", "Short", "closest_names", "either", "find", "names_of"]

O = TypeVar("O", bound=Offer)  # noqa: E741 - the usual one-letter name of a type
Spoken = tuple[str, tuple[str, ...], str]  # name, other forms, heading


class Short(enum.Enum):
    """How much of a name may stay unsaid, besides words like “fresh”. Never a negation or a qualifier."""

    NOTHING = enum.auto()
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
        for form in self._prepared.candidates(said):
            comparison = compare(said, form.phrase, self.ear, form.heading, needs_whole_heading=needs_whole_heading)
            yield Match(self.offers[form.index], form, comparison, _rank(form, comparison))

    def understood(self, said: Phrase, short: Short = Short.NOTHING) -> list[Match[O]]:
        """The best of those of whose names (and headings) every word was said, or enough for `short`."""
        found = [
            match
            for match in self.compared(said)
            if match.comparison.is_understood and is_enough(match.form.phrase, match.comparison, short, self.table)
        ]
        chosen = best(found)
        if not chosen or chosen[0].comparison.is_complete:
            return chosen
        # A short form is taken only where nothing else on offer has all of its words: “agua” may be any of four.
        others = [
            match
            for match in self.compared(said)
            if match.comparison.is_understood and (match.comparison.covered or match.comparison.uses_heading)
        ]
        return list({match.offer.id: match for match in (*chosen, *others)}.values())

    def near(self, said: Phrase, *, most: int = 3) -> list[Match[O]]:
        """Those that share a word with it, the nearest first, one for each name."""
        sharing = [match for match in self.compared(said, needs_whole_heading=False) if match.comparison.covered]
        sharing.sort(key=lambda match: (len(match.comparison.spare.words), len(match.comparison.missing.words)))
        by_name: dict[str, Match[O]] = {}
        for match in sharing:
            by_name.setdefault(match.offer.name, match)
        return list(by_name.values())[:most]


def names_of(
    offers: Sequence[O], table: WordTable = DEFAULT_TABLE, *, headings: Sequence[str] = (), beside: Iterable[str] = ()
) -> Names[O]:
    """The names of these offers. `beside` are other names on offer: a slip that makes a word of theirs is none."""
    spoken = tuple(
        (offer.name, tuple(offer.spoken_forms), heading)
        for offer, heading in zip(offers, headings or [""] * len(offers), strict=True)
    )
    return Names(offers, _prepare(spoken, tuple(beside), table), table)


def find(query: str, offers: Sequence[O], table: WordTable = DEFAULT_TABLE) -> list[O]:
    """Those that the words mean: one if it is clear, several in doubt, none if a word of theirs is in no name."""
    headings = [offer.category if isinstance(offer, ItemOffer) else "" for offer in offers]
    matches = names_of(offers, table, headings=headings).understood(read_phrase(query, table), Short.ALL_BUT_THE_HEAD)
    return [match.offer for match in matches]


def best(matches: Iterable[Match[O]]) -> list[Match[O]]:
    """The matches of the best rank, each offer once."""
    matches = sorted(matches, key=lambda match: match.rank)
    by_id: dict[int, Match[O]] = {}
    for match in matches:
        if match.rank == matches[0].rank:
            by_id.setdefault(match.offer.id, match)
    return list(by_id.values())


def is_enough(name: Phrase, comparison: Comparison, short: Short, table: WordTable) -> bool:
    """Whether what was said of a name stands for all of it."""
    missing = comparison.missing
    if missing.marks or any(word.is_negated for word in missing.words):
        return False
    if any(not amount.measure and amount.value < 1 for amount in missing.amounts):
        return False
    unsaid = [word for word in missing.words if spellings(word.text).isdisjoint(table.may_be_unsaid)]
    if not unsaid or (short is Short.ANYTHING and comparison.covered):
        return not missing.amounts or bool(comparison.covered) or not name.words
    if short is not Short.ALL_BUT_THE_HEAD or not comparison.covered:
        return False
    if not _is_at_an_end(name, unsaid):
        return False
    complement = _complement(name)
    if complement:
        # A “pão” alone is no “Pão de queijo”, and a “tortilla” no “Sopa de tortilla”.
        return not any(word in unsaid for word in complement) and len(comparison.covered) > len(complement)
    first, *joined = heads(name)
    if any(head in unsaid for head in joined):
        return False
    return first not in unsaid or any(
        word.part == first.part and not word.is_negated and spellings(word.text).isdisjoint(table.known)
        for word in comparison.covered
    )


def _is_at_an_end(name: Phrase, unsaid: Sequence[Word]) -> bool:
    """What is unsaid begins or ends the name: a “salmon roll” is no “Salmon Avocado Roll”."""
    places = [at for at, word in enumerate(name.words) if word in unsaid]
    is_whole = places == list(range(places[0], places[-1] + 1))
    return is_whole and (places[0] == 0 or places[-1] == len(name.words) - 1)


def _complement(name: Phrase) -> list[Word]:
    """The words after the last “of” of a name that has one."""
    last = max((word.part for word in name.words if word.joint is Role.OF), default=0)
    return [word for word in name.words if word.part == last] if last else []


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
    """The forms of a menu by the first letters of their words; made once for a menu."""

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
        self._by_letter: defaultdict[str, dict[int, Form]] = defaultdict(dict)
        for number, form in enumerate(self.forms):
            letters = {_letter(word.text) for word in (*form.phrase.words, *form.heading.words)}
            for letter in letters if form.phrase.words else {""}:
                self._by_letter[letter][number] = form

    def candidates(self, said: Phrase) -> list[Form]:
        """Forms with a word that begins like one of those said; those without words in any case."""
        found: dict[int, Form] = dict(self._by_letter.get("", {}))
        for letter in {_letter(word.text) for word in said.words}:
            found.update(self._by_letter.get(letter, {}))
        return [found[number] for number in sorted(found)]


@lru_cache(maxsize=512)
def _prepare(spoken: tuple[Spoken, ...], beside: tuple[str, ...], table: WordTable) -> _Prepared:
    return _Prepared(spoken, beside, table)


def _letter(word: str) -> str:
    return fold(word)[:1]
