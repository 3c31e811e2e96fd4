"""Parses a recognized sentence into phrases by their meaning, in order: as few and as long as possible."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from voiceapp.simulators.model.agent.menu import PromptMenu
from voiceapp.simulators.model.agent.menu_names import NUMBER_WORDS, Lexicon, lexicon_of
from voiceapp.simulators.model.agent.vocabulary import Meaning, phrases

ARTICLES = {"a": 1, "an": 1, "another": 1, "one more": 1, "some": 1, "the": 1, "two more": 2, "my": 1}
COUNTS: dict[str, int] = {**NUMBER_WORDS, **ARTICLES}
# If the same words have several meanings, the first of these is used.
PREFERRED = (
    Meaning.ITEM, Meaning.SIZE, Meaning.MODIFIER, Meaning.COUNT, Meaning.CATEGORY, Meaning.TARGET,
    Meaning.DONE, Meaning.YES, Meaning.NO,
)  # fmt: skip
MAX_PHRASE_WORDS = 12


def modifiers_of(lexicon: Lexicon) -> set[str]:
    """What may be added or left out, also ingredients that are not on this menu."""
    return set(lexicon.modifiers) | {form[3:] for form in lexicon.modifiers if form.startswith("no ")}


@dataclass(frozen=True, slots=True)
class SpokenPhrase:
    """`names`: in the menu's spelling, for a name; `count`: for a number or an article."""

    kind: Meaning
    words: str
    names: tuple[str, ...] = ()
    count: int = 0

    @property
    def name(self) -> str:
        return self.names[0] if self.names else self.words


@dataclass
class PhraseParser:
    """Knows the phrases of one menu."""

    lexicon: Lexicon
    _known: dict[str, list[SpokenPhrase]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        tables = [
            (Meaning.ITEM, self.lexicon.items), (Meaning.SIZE, self.lexicon.sizes),
            (Meaning.CATEGORY, self.lexicon.categories), (Meaning.TARGET, self.lexicon.targets),
        ]  # fmt: skip
        for kind, table in tables:
            for words, names in table.items():
                self._add(SpokenPhrase(kind, words, tuple(names)))
        for words in modifiers_of(self.lexicon):
            self._add(SpokenPhrase(Meaning.MODIFIER, words, tuple(self.lexicon.modifiers.get(words, (words,)))))
        for words, count in COUNTS.items():
            self._add(SpokenPhrase(Meaning.COUNT, words, count=count))
        for kind, forms in phrases().items():
            for words in forms:
                self._add(SpokenPhrase(kind, words))

    def _add(self, phrase: SpokenPhrase) -> None:
        self._known.setdefault(phrase.words, []).append(phrase)

    def read(self, sentence: str) -> list[SpokenPhrase]:
        """Words that belong to no phrase are ignored."""
        words = sentence.split()
        best: list[tuple[int, list[SpokenPhrase]]] = [(0, [])]
        for end in range(1, len(words) + 1):
            cost, found = best[end - 1]
            choices = [(cost + 3, found)]
            for start in range(max(0, end - MAX_PHRASE_WORDS), end):
                for phrase in self._meanings(" ".join(words[start:end])):
                    cost, found = best[start]
                    choices.append((cost + 1, [*found, phrase]))
            best.append(min(choices, key=lambda choice: choice[0]))
        return best[-1][1]

    def _meanings(self, words: str) -> Iterator[SpokenPhrase]:
        known = self._known.get(words, [])
        if known:
            yield min(
                known, key=lambda phrase: PREFERRED.index(phrase.kind) if phrase.kind in PREFERRED else len(PREFERRED)
            )


@lru_cache(maxsize=16)
def parser_for(menu: PromptMenu) -> PhraseParser:
    return PhraseParser(lexicon_of(menu))
