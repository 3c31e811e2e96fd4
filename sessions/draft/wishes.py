"""What the words about a line's modifiers mean: which are wanted and how often, which are left out.

Every word counts: what is in no name of the item's modifiers, a negation or an amount leads to a question.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from agents.offers import ItemOffer, ModifierOffer
from agents.spoken import DEFAULT_TABLE, LONGEST_NAME, Phrase, Role, Token, WordTable, read_phrase, read_tokens
from agents.spoken.phrase import phrase_of

from .names import Names, Short, closest_names, either, names_of
from .refusal import Refused

MOST_TIMES = 10
JOINS = (Role.AND, Role.WITH)
AS_NOTE = " I can add it as a note for the kitchen."


@dataclass(slots=True)
class Wishes:
    """Each wanted word as the modifiers that bear its name, and the ids of what is left out."""

    wanted: list[dict[int, ModifierOffer]] = field(default_factory=list)
    left_out: set[int] = field(default_factory=set)


def understand(
    item: ItemOffer, words: Sequence[str], table: WordTable = DEFAULT_TABLE, *, also: Sequence[str] = ()
) -> Wishes:
    """Raises Refused with the question to ask. What `also` says again is not wanted twice."""
    everything = list({modifier.id: modifier for group in item.all_groups() for modifier in group.modifiers}.values())
    reader = _Reader(item, names_of(everything, table, beside=(item.name,)), table)
    for text in words:
        reader.read(text)
    named = [wanted.keys() for wanted in reader.wishes.wanted]
    for text in also:
        reader.read(text)
    again = reader.wishes.wanted[len(named) :]
    reader.wishes.wanted[len(named) :] = [wanted for wanted in again if wanted.keys() not in named]
    for wanted in reader.wishes.wanted:
        if not wanted.keys().isdisjoint(reader.wishes.left_out):
            raise Refused(f"Should the {item.name} be with or without {next(iter(wanted.values())).name}?")
    return reader.wishes


@dataclass
class _Reader:
    item: ItemOffer
    names: Names[ModifierOffer]
    table: WordTable
    wishes: Wishes = field(default_factory=Wishes)

    def read(self, text: str) -> None:
        """Take the words of one entry: one modifier, or several joined by “and”."""
        tokens = read_tokens(text, self.table)
        whole = phrase_of(tokens, self.table)
        if whole.is_empty and not whole.starts_negated:
            return
        parts = list(_parts(tokens))
        if len(parts) < 2:
            if not self._take_any(whole):
                self._refuse(text, whole)
            return
        if self._take(whole):
            return
        phrases = [phrase_of(part, self.table) for part in parts]
        if is_left_out(phrases[0]) and not all(map(is_left_out, phrases)):
            phrases = self._all_left_out(text, phrases)
        for part in phrases:
            if not self._take_any(part):
                self._refuse(text, part)

    def _all_left_out(self, text: str, phrases: Sequence[Phrase]) -> list[Phrase]:
        """“no onions and pickles” leaves out both where both come with the dish; else raises Refused."""
        for phrase in phrases:
            found = self._meant(affirmed(phrase), Short.ALL_BUT_THE_HEAD)
            if not found or not all(modifier.is_default for modifier in found.values()):
                raise Refused(f"For the {self.item.name}, is all of “{text[:60]}” to be left out, or only the first?")
        return [
            replace(phrase, words=tuple(replace(word, is_negated=True) for word in phrase.words)) for phrase in phrases
        ]

    def _take_any(self, phrase: Phrase) -> bool:
        return self._take(phrase) or self._take_left_out(phrase) or self._take_amount(phrase)

    def _take(self, phrase: Phrase, times: int = 1) -> bool:
        """Want what bears this very name, negations and amounts included."""
        found = self._meant(phrase)
        self.wishes.wanted.extend([found] * times if found else [])
        return bool(found)

    def _take_left_out(self, phrase: Phrase) -> bool:
        if not is_left_out(phrase):
            return False
        found = self._meant(affirmed(phrase), Short.ALL_BUT_THE_HEAD)
        is_usual = any(modifier.is_default for modifier in found.values())
        if found and not is_usual and self._is_made_with(phrase):
            return False
        self.wishes.left_out.update(found)
        return bool(found)

    def _is_made_with(self, phrase: Phrase) -> bool:
        """Whether the dish has it by its name or description, so that leaving it out is a matter for the kitchen."""
        text = f"{self.item.name}, {self.item.description}"[:LONGEST_NAME]
        words = read_phrase(text, self.table).words
        return any(
            not word.is_negated and self.names.ear.likeness(said.text, word.text) is not None
            for said in phrase.words
            for word in words
        )

    def _take_amount(self, phrase: Phrase) -> bool:
        """“two bacon” and “double bacon” are bacon twice; “extra bacon” is one more than usual."""
        if any(word.is_negated for word in phrase.words):
            return False
        if phrase.amounts and phrase.amounts[0].is_first and not phrase.marks:
            first = phrase.amounts[0]
            if first.measure or first.value.denominator != 1 or not 1 <= first.value <= MOST_TIMES:
                return False
            return self._take(replace(phrase, amounts=phrase.amounts[1:]), int(first.value))
        if len(phrase.marks) != 1 or phrase.amounts:
            return False
        plain = replace(phrase, marks=())
        mark = phrase.marks[0]
        if mark == Role.MORE:
            found = self._meant(plain)
            # More of what comes with it anyway has no price on the menu.
            return not any(modifier.is_default for modifier in found.values()) and self._take(plain)
        if mark.startswith("times "):
            times = Fraction(mark.removeprefix("times "))
            return 1 <= times <= MOST_TIMES and times.denominator == 1 and self._take(plain, int(times))
        return False

    def _meant(self, phrase: Phrase, short: Short = Short.NOTHING) -> dict[int, ModifierOffer]:
        """What is added is named in full, for it is charged; what is left out may be named in short."""
        found = [match.offer for match in self.names.understood(phrase, short)]
        names = list(dict.fromkeys(modifier.name for modifier in found))
        if len({name.casefold() for name in names}) > 1:
            raise Refused(f"Which do you mean for the {self.item.name}: {either(names[:5])}?")
        return {modifier.id: modifier for modifier in found}

    def _refuse(self, text: str, phrase: Phrase) -> None:
        shown = " ".join(text.split())[:60]
        near = [match.offer.name for match in self.names.near(affirmed(phrase))]
        is_amount = bool(near) and bool(phrase.marks or phrase.amounts or is_left_out(phrase))
        near = near or closest_names(text, self.names.offers)
        hint = f" Do you mean {either(near)}?" if near and not is_amount else AS_NOTE
        if is_amount:
            hint = f" There is {either(near)}.{AS_NOTE}"
        raise Refused(f"“{shown}” is not a choice for the {self.item.name}.{hint}")


def is_left_out(phrase: Phrase) -> bool:
    """Whether all of it is to be left out: “no onions”, “onions left out”, “zwiebelfrei”."""
    return bool(phrase.words) and all(word.is_negated for word in phrase.words)


def affirmed(phrase: Phrase) -> Phrase:
    """The same without its negation."""
    marks = tuple(sorted(mark.removeprefix("not ") for mark in phrase.marks))
    words = tuple(replace(word, is_negated=False) for word in phrase.words)
    return replace(phrase, words=words, marks=marks, starts_negated=False, negations=0)


def _parts(tokens: Sequence[Token]) -> Iterator[tuple[Token, ...]]:
    """The tokens between “and”, “with” and commas."""
    part: list[Token] = []
    for token in tokens:
        if token.is_break or token.role in JOINS:
            if part:
                yield tuple(part)
            part = []
        else:
            part.append(token)
    if part:
        yield tuple(part)
