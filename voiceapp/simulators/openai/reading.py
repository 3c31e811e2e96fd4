"""Reads a recognized sentence: its phrases by what they mean, in order. Fewest phrases win, longer ones first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from voiceapp.simulators.openai.menu import Menu
from voiceapp.simulators.openai.menu_names import NUMBER_WORDS, Lexicon, lexicon_of
from voiceapp.simulators.openai.vocabulary import Kind, phrases

ARTICLES = {"a": 1, "an": 1, "another": 1, "one more": 1, "some": 1, "the": 1, "two more": 2, "my": 1}
COUNTS: dict[str, int] = {**NUMBER_WORDS, **ARTICLES}
# Where the same words mean several things, the first of these is meant; a later look at the neighbors may differ.
PREFERRED = (
    Kind.ITEM, Kind.SIZE, Kind.MODIFIER, Kind.COUNT, Kind.CATEGORY, Kind.TARGET, Kind.DONE, Kind.YES, Kind.NO,
)  # fmt: skip
LONGEST_PHRASE = 12


def modifiers_of(lexicon: Lexicon) -> set[str]:
    """Whatever may be left out or put on, also what this menu does not offer."""
    return set(lexicon.modifiers) | {form[3:] for form in lexicon.modifiers if form.startswith("no ")}


@dataclass(frozen=True, slots=True)
class Phrase:
    """`names`: in the menu's spelling, where it is a name; `count` where it is a number or an article."""

    kind: Kind
    words: str
    names: tuple[str, ...] = ()
    count: int = 0

    @property
    def name(self) -> str:
        return self.names[0] if self.names else self.words


@dataclass
class Reader:
    """The phrases of one menu."""

    lexicon: Lexicon
    _known: dict[str, list[Phrase]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        tables = [
            (Kind.ITEM, self.lexicon.items), (Kind.SIZE, self.lexicon.sizes), (Kind.CATEGORY, self.lexicon.categories),
            (Kind.TARGET, self.lexicon.targets),
        ]  # fmt: skip
        for kind, table in tables:
            for words, names in table.items():
                self._add(Phrase(kind, words, tuple(names)))
        for words in modifiers_of(self.lexicon):
            self._add(Phrase(Kind.MODIFIER, words, tuple(self.lexicon.modifiers.get(words, (words,)))))
        for words, count in COUNTS.items():
            self._add(Phrase(Kind.COUNT, words, count=count))
        for kind, forms in phrases().items():
            for words in forms:
                self._add(Phrase(kind, words))

    def _add(self, phrase: Phrase) -> None:
        self._known.setdefault(phrase.words, []).append(phrase)

    def read(self, sentence: str) -> list[Phrase]:
        """Words that belong to no phrase are passed over."""
        words = sentence.split()
        best: list[tuple[int, list[Phrase]]] = [(0, [])]
        for end in range(1, len(words) + 1):
            cost, found = best[end - 1]
            choices = [(cost + 3, found)]
            for start in range(max(0, end - LONGEST_PHRASE), end):
                for phrase in self._meanings(" ".join(words[start:end])):
                    cost, found = best[start]
                    choices.append((cost + 1, [*found, phrase]))
            best.append(min(choices, key=lambda choice: choice[0]))
        return best[-1][1]

    def _meanings(self, words: str) -> Iterator[Phrase]:
        known = self._known.get(words, [])
        if known:
            yield min(
                known, key=lambda phrase: PREFERRED.index(phrase.kind) if phrase.kind in PREFERRED else len(PREFERRED)
            )


@lru_cache(maxsize=16)
def reader_of(menu: Menu) -> Reader:
    return Reader(lexicon_of(menu))
