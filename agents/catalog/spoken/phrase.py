"""A spoken phrase as what has to be equal: its words with their negation, its numbers, its amounts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from itertools import zip_longest

from .folding import fold, spellings
from .table import DEFAULT_TABLE, Role, WordTable
from .tokens import Token, read_tokens

DROPPED = (Role.FILLER, Role.FILLER_AFTER, Role.WITH, Role.AND, Role.OF)
SHORTEST_UNIT_ALONE = 3
MARKS = (Role.LESS, Role.MORE, Role.ONLY, Role.ASIDE, Role.SIDE_OF)


@dataclass(frozen=True, slots=True)
class Word:
    """`part` counts the parts of the phrase; `joint` is what stands before its part."""

    text: str
    is_negated: bool = False
    part: int = 0
    joint: Role | None = None


@dataclass(frozen=True, slots=True)
class Amount:
    """A number, in the smallest unit of its measure if it has one."""

    value: Fraction
    measure: str = ""
    factor: Fraction = Fraction(1)
    is_first: bool = False

    def equals(self, other: Amount) -> bool:
        """Without a unit on one side the bare numbers are compared: “0,5” is “0,5 l”."""
        if self.measure and other.measure:
            return self.measure == other.measure and self.value * self.factor == other.value * other.factor
        return self.value == other.value


@dataclass(frozen=True, slots=True)
class Phrase:
    """`marks` are amounts and qualifiers, like “less”, “vegan” or “not spicy”.

    `starts_negated`: it begins with a negation, so that what follows is to be left out.
    """

    words: tuple[Word, ...] = ()
    amounts: tuple[Amount, ...] = ()
    marks: tuple[str, ...] = ()
    starts_negated: bool = False
    may_swap: bool = False
    negations: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self.words or self.amounts or self.marks)

    def same_as(self, other: Phrase) -> bool:
        """Whether both say the same in the same words."""
        return (
            [(fold(word.text), word.is_negated) for word in self.words]
            == [(fold(word.text), word.is_negated) for word in other.words]
            and self.amounts == other.amounts
            and self.marks == other.marks
        )


def read_phrase(text: str, table: WordTable = DEFAULT_TABLE) -> Phrase:
    """The phrase in a text."""
    return phrase_of(read_tokens(text, table), table)


def readings(tokens: tuple[Token, ...], table: WordTable = DEFAULT_TABLE) -> list[Phrase]:
    """The phrases that the tokens may be, the likeliest first.

    “no sugar cola” negates all that follows or the sugar alone; “one” is a number in “set one”, not in “large one”.
    """
    return list(
        dict.fromkeys(
            phrase_of(tokens, table, negates_next=negates_next, keeps_ones=keeps_ones)
            for keeps_ones in (False, True)
            for negates_next in (False, True)
        )
    )


@lru_cache(maxsize=32768)
def phrase_of(
    tokens: tuple[Token, ...],
    table: WordTable = DEFAULT_TABLE,
    *,
    negates_next: bool = False,
    keeps_ones: bool = False,
) -> Phrase:
    """One phrase of some tokens. Words that may be dropped are kept where there are no others."""
    reading = _Reading(table, negates_next, keeps_ones)
    for token, following in zip_longest(tokens, tokens[1:]):
        reading.take(token, following)
    phrase = reading.phrase()
    if phrase.is_empty and not phrase.starts_negated:
        kept = [Word(word) for token in tokens if not token.is_break for word in token.text.split()]
        return replace(phrase, words=tuple(kept))
    return phrase


@dataclass
class _Reading:
    table: WordTable
    negates_next: bool
    keeps_ones: bool
    words: list[Word] = field(default_factory=list)
    amounts: list[Amount] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)
    is_negated: bool = False
    next_only: bool = False
    starts_negated: bool = False
    may_swap: bool = False
    part: int = 0
    joint: Role | None = None
    has_begun: bool = False
    follows_number: bool = False
    counts_next: bool = False
    dangles: bool = False
    negations: int = 0

    def take(self, token: Token, following: Token | None) -> None:
        follows_number, self.follows_number = self.follows_number, False
        if token.is_break:
            self._new_part(Role.AND)
        elif token.role is Role.FILLER_AFTER and (self.keeps_ones or not self.has_begun or _goes_on(following)):
            self._number(Fraction(1))
        elif token.role is Role.COUNTER and (follows_number or _is_number(following)):
            self.counts_next = not follows_number  # “bacon x2”
        elif token.role in DROPPED and not self._is_kept(token, following):
            self._drop(token, following)
        elif token.role in (Role.WITHOUT, Role.WITHOUT_NEXT):
            self.starts_negated |= not self.has_begun
            self.is_negated = self.dangles = True
            self.negations += 1
            self.next_only = self.negates_next or token.role is Role.WITHOUT_NEXT
            self.has_begun = True
        elif token.role is Role.FREE and self.words and self.words[-1].part == self.part:
            self.words[-1] = replace(self.words[-1], is_negated=True)
            self.negations += 1
        elif token.role is Role.NUMBER and not self.is_negated:
            assert isinstance(token.meaning.value, Fraction)
            self._number(token.meaning.value)
        elif follows_number and (unit := self._unit(token)):
            self.amounts[-1] = replace(self.amounts[-1], measure=unit[0], factor=unit[1])
        elif token.role is Role.CONTENT and len(token.text) >= SHORTEST_UNIT_ALONE and (unit := self._unit(token)):
            self._number(Fraction(1))  # “un litro”
            self.amounts[-1] = replace(self.amounts[-1], measure=unit[0], factor=unit[1])
        elif (mark := _mark(token)) is not None:
            self.marks.append(f"not {mark}" if self.is_negated else mark)
            self.dangles = False
            self.has_begun = True
        else:
            self._content(token)

    def phrase(self) -> Phrase:
        self._settle_negation()
        return Phrase(
            tuple(self.words),
            tuple(self.amounts),
            tuple(sorted(self.marks)),
            self.starts_negated,
            self.may_swap,
            self.negations,
        )

    def _number(self, value: Fraction) -> None:
        self.amounts.append(Amount(value, is_first=not self.has_begun or self.counts_next))
        self.follows_number = self.has_begun = True
        self.counts_next = False

    def _is_kept(self, token: Token, following: Token | None) -> bool:
        """The A of “Menu A” is a name."""
        return following is None and len(token.text) == 1 and token.role is not Role.WITH and bool(self.words)

    def _drop(self, token: Token, following: Token | None) -> None:
        if token.role is Role.WITH and following is None:
            self.marks.append(str(Role.WITH))  # “patat met”: with something that is not said
        elif token.role in (Role.WITH, Role.AND):
            self._new_part(token.role)
        elif token.role is Role.OF:
            self.may_swap = True
            self.part += 1
            self.joint = Role.OF

    def _settle_negation(self) -> None:
        """“Bacon? No.” negates what stands before it; a “no” beside nothing is kept, for it must not be dropped."""
        if not self.dangles:
            return
        self.dangles = False
        in_part = [at for at, word in enumerate(self.words) if word.part == self.part]
        for at in in_part:
            self.words[at] = replace(self.words[at], is_negated=True)
        if not in_part:
            self.marks.append(str(Role.WITHOUT))

    def _new_part(self, joint: Role) -> None:
        self._settle_negation()
        self.is_negated = False
        self.part += 1
        self.joint = joint

    def _unit(self, token: Token) -> tuple[str, Fraction] | None:
        return next((self.table.units[word] for word in spellings(token.text) if word in self.table.units), None)

    def _content(self, token: Token) -> None:
        for text in token.text.split():
            self.words.append(Word(text, self.is_negated, self.part, self.joint))
            self.dangles = False
            if self.next_only:
                self.is_negated = self.next_only = False
        self.has_begun = True


def _is_number(following: Token | None) -> bool:
    return following is not None and following.role is Role.NUMBER


def _goes_on(following: Token | None) -> bool:
    """Whether more of the same name comes, so that “one” before it counts: “set one two”."""
    return following is not None and not following.is_break and following.role in (Role.NUMBER, Role.CONTENT)


def _mark(token: Token) -> str | None:
    if token.role in MARKS:
        return str(token.role)
    if token.role is Role.TIMES:
        return f"times {token.meaning.value}"
    if token.role is Role.QUALIFIER:
        return str(token.meaning.value)
    return None
