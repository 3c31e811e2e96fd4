"""A spoken phrase beside one configured name: what both have, what only one of them has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .folding import fold, spellings
from .likeness import Ear, Likeness
from .phrase import Amount, Phrase, Word
from .table import Role

LINKS = ("", "s", "n", "en", "es")  # between the halves of a German compound
MOST_JOINED = 3
EMPTY = Phrase()


@dataclass(slots=True)
class Comparison:
    """`spare` is what the caller said and the name has not; `missing` the other way round."""

    spare: Phrase
    missing: Phrase
    likeness: Likeness
    covered: tuple[Word, ...]
    uses_heading: bool
    is_in_order: bool

    @property
    def is_understood(self) -> bool:
        """Every word of the caller's is in the name or its heading."""
        return self.spare.is_empty and self.is_in_order

    @property
    def is_complete(self) -> bool:
        """Every word of the name was said."""
        return self.missing.is_empty


def compare(
    said: Phrase, name: Phrase, ear: Ear, heading: Phrase = EMPTY, *, needs_whole_heading: bool = True
) -> Comparison:
    """Match the words one by one; those of the heading may be said too.

    Of a heading that names two things (“Pizza & Pasta”) one word alone says nothing: then all of it is needed.
    """
    pairing = _Pairing(said.words, name.words, heading.words, ear)
    pairing.pair()
    if needs_whole_heading:
        pairing.check_heading()
    spare_amounts, missing_amounts = _unequal(said.amounts, name.amounts)
    spare_marks, missing_marks = Counter(said.marks), Counter(name.marks)
    spare_marks, missing_marks = spare_marks - missing_marks, missing_marks - spare_marks
    if said.negations > name.negations:
        # “without tyre rotation” is never a service of that name, whatever else “tyre” means in some language.
        spare_marks[str(Role.WITHOUT)] += 1
    from_heading = spare_marks & Counter(heading.marks)
    if any(not ear.table.side_headings.isdisjoint(spellings(word.text)) for word in heading.words):
        from_heading |= spare_marks & Counter([Role.SIDE_OF.value])
    spare_marks -= from_heading
    return Comparison(
        spare=Phrase(tuple(pairing.spare), spare_amounts, tuple(spare_marks.elements())),
        missing=Phrase(tuple(pairing.missing()), missing_amounts, tuple(missing_marks.elements())),
        likeness=pairing.likeness,
        covered=tuple(word for at, word in enumerate(name.words) if at in pairing.used),
        uses_heading=pairing.uses_heading or bool(from_heading),
        is_in_order=pairing.is_in_order or said.may_swap or name.may_swap,
    )


def _unequal(said: Sequence[Amount], name: Sequence[Amount]) -> tuple[tuple[Amount, ...], tuple[Amount, ...]]:
    missing = list(name)
    spare: list[Amount] = []
    # From the end: in “two 2 litre bottles” the first is how many.
    for amount in reversed(said):
        equal = next((other for other in missing if amount.equals(other)), None)
        if equal is None:
            spare.insert(0, amount)
        else:
            missing.remove(equal)
    return tuple(spare), tuple(missing)


@dataclass
class _Pairing:
    said: Sequence[Word]
    name: Sequence[Word]
    heading: Sequence[Word]
    ear: Ear
    used: set[int] = field(default_factory=set)
    order: list[int] = field(default_factory=list)
    spare: list[Word] = field(default_factory=list)
    likeness: Likeness = Likeness.IDENTICAL
    heading_said: dict[int, Word] = field(default_factory=dict)

    @property
    def uses_heading(self) -> bool:
        return bool(self.heading_said)

    def check_heading(self) -> None:
        is_double = any(word.joint is Role.AND for word in self.heading)
        if is_double and 0 < len(self.heading_said) < len(self.heading):
            self.spare.extend(self.heading_said.values())
            self.heading_said.clear()

    @property
    def is_in_order(self) -> bool:
        """“milk chocolate” is no chocolate milk; where a negation stands does not matter."""
        order = [at for at in self.order if not self.name[at].is_negated]
        return order == sorted(order)

    def missing(self) -> Iterator[Word]:
        return (word for at, word in enumerate(self.name) if at not in self.used)

    def pair(self) -> None:
        at = 0
        while at < len(self.said):
            at += self._take(at)

    def _take(self, at: int) -> int:
        """Find the place of a word, or of it and those after it; how many were placed."""
        word = self.said[at]
        if self._single(word) or self._compound(word):
            return 1
        for count in range(2, MOST_JOINED + 1):
            if self._joined(self.said[at : at + count], count):
                return count
        if not self._in_heading(word):
            self.spare.append(word)
        return 1

    def _single(self, word: Word) -> bool:
        found = [
            (likeness, at)
            for at, other in enumerate(self.name)
            if at not in self.used
            and word.is_negated == other.is_negated
            and (likeness := self.ear.likeness(word.text, other.text)) is not None
        ]
        if not found:
            return False
        likeness, at = min(found)
        self._use(likeness, at)
        return True

    def _joined(self, words: Sequence[Word], count: int) -> bool:
        """“milk shake” for the Milkshake."""
        if len(words) < count or len({word.is_negated for word in words}) > 1:
            return False
        return self._close(Word("".join(word.text for word in words), words[0].is_negated))

    def _close(self, word: Word) -> bool:
        for at, other in enumerate(self.name):
            if at in self.used or word.is_negated != other.is_negated:
                continue
            likeness = self.ear.likeness(word.text, other.text)
            if likeness is not None and likeness < Likeness.MISSPELLED:
                self._use(likeness, at)
                return True
        return False

    def _compound(self, word: Word) -> bool:
        """“cheeseburger” for the Cheese Burger, “Champignonpizza” for the Champignon under Pizza."""
        for start in range(len(self.name)):
            for count in range(2, MOST_JOINED + 1):
                places = range(start, start + count)
                if places.stop > len(self.name) or any(self._is_taken(at, word) for at in places):
                    continue
                if self._is_made_of(word, [self.name[at] for at in places]):
                    self._use(Likeness.FOLDED, *places)
                    return True
        for at, other in enumerate(self.name):
            if self._is_taken(at, word):
                continue
            for place, head in enumerate(self.heading):
                if self._is_made_of(word, [other, head]) or self._is_made_of(word, [head, other]):
                    self._use(Likeness.FOLDED, at)
                    self.heading_said[place] = word
                    return True
        return False

    def _is_taken(self, at: int, word: Word) -> bool:
        return at in self.used or self.name[at].is_negated != word.is_negated

    def _is_made_of(self, word: Word, parts: Sequence[Word]) -> bool:
        texts = [fold(part.text) for part in parts]
        whole = fold(word.text)
        # Cheap before dear: nearly every pair fails here.
        if not whole.startswith(texts[0][:3]) or abs(len(whole) - sum(map(len, texts))) > 3 * len(texts):
            return False
        return any((made := link.join(texts)) == whole or self._is_form(whole, made) for link in LINKS)

    def _is_form(self, whole: str, made: str) -> bool:
        likeness = self.ear.likeness(whole, made)
        return likeness is not None and likeness <= Likeness.INFLECTED

    def _in_heading(self, word: Word) -> bool:
        for place, head in enumerate(self.heading):
            likeness = self.ear.likeness(word.text, head.text)
            if likeness is not None and likeness <= Likeness.INFLECTED and word.is_negated == head.is_negated:
                self.heading_said[place] = word
                return True
        return False

    def _use(self, likeness: Likeness, *places: int) -> None:
        self.used.update(places)
        self.order.extend(places)
        self.likeness = max(self.likeness, likeness)


def heads(name: Phrase) -> list[Word]:
    """The words that a short form must have: the last of the name's first part, and one of each joined by “and”."""
    first = [word for word in name.words if word.part == name.words[0].part] if name.words else []
    joined = {word.part: word for word in name.words if word.joint is Role.AND and word.part}
    return [*first[-1:], *joined.values()]
