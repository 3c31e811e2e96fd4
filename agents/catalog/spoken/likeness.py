"""How like two words are. Spelling and inflection are forgiven, content is not."""

from __future__ import annotations

import enum
import re
from collections.abc import Collection, Iterable
from functools import lru_cache

import snowballstemmer
from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

from .folding import fold, plain_text, spellings
from .table import DEFAULT_TABLE, WordTable

LANGUAGES = ("english", "german", "french", "spanish", "italian", "portuguese", "dutch", "swedish", "danish")
# What an inflection may add or exchange; a stemmer alone also takes “marinara” for “marinata”.
ENDINGS = frozenset(
    {"", "s", "es", "e", "en", "n", "er", "ern", "em", "a", "o", "as", "os", "i", "is", "x", "y", "ies", "d", "ed",
     "he", "hi", "je", "jes", "tje", "tjes", "ar", "or"}
)  # fmt: skip
NEVER_ADDED = {"a", "o", "i", "y", "ies", "he", "hi", "ar", "or"}
OF_ITS_OWN = [{"o", "hi"}, {"a", "he"}, {"io", "i"}, {"y", "ies"}]
HARD, SOFT = {"a", "o", "as", "os"}, {"e", "i", "es", "is"}
SHORTEST_SPELLING = 5
SHORTEST_SLIP = 6
ALIKE_PERCENT = 50
FAR_BEHIND_PERCENT = 12
# Characters that sound alike, in this order.
SOUNDS = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in [
        (r"our$", "or"), (r"sch", "s"),
        (r"ph", "f"), (r"(?<=[cgkrt])h", ""), (r"ck|qu|q", "k"), (r"c(?![eiy])", "k"), (r"y", "i"),
        (r"w", "v"), (r"x(?=[^aeiou])", "s"), (r"z", "s"), (r"(.)\1+", r"\1"),
    ]
)  # fmt: skip


class Likeness(enum.IntEnum):
    """The less the closer."""

    IDENTICAL = 0
    FOLDED = 1
    INFLECTED = 2
    MISSPELLED = 3


class Ear:
    """Compares words where these words are on offer: a slip that makes another of them is none."""

    def __init__(self, vocabulary: Collection[str] = (), table: WordTable = DEFAULT_TABLE) -> None:
        self.table = table
        self.vocabulary = frozenset(spelling for word in vocabulary for spelling in spellings(word))

    def likeness(self, said: str, name: str) -> Likeness | None:
        """How `said` is the word `name`; None if it is another word."""
        likeness = _likeness(said, name, self.table)
        if likeness is Likeness.MISSPELLED and self._is_a_word(said):
            return likeness if _sounds_alike(said, name) and not self._is_a_word(name, of_menu=False) else None
        return likeness

    def _is_a_word(self, said: str, *, of_menu: bool = True) -> bool:
        written = spellings(said)
        return (
            (of_menu and not written.isdisjoint(self.vocabulary))
            or not written.isdisjoint(self.table.known)
            or self.table.meaning((said,)) is not None
        )


@lru_cache(maxsize=131072)
def _likeness(said: str, name: str, table: WordTable) -> Likeness | None:
    if said == name:
        return Likeness.IDENTICAL
    written, named = spellings(said), spellings(name)
    if not written.isdisjoint(named):
        return Likeness.FOLDED
    if not said.isascii() and not fold(said).isascii():
        return None
    if any(_is_inflected(one, other, table) for one in written for other in named):
        return Likeness.INFLECTED
    if any(_is_misspelled(one, other) for one in written for other in named):
        return Likeness.MISSPELLED
    return None


def _is_inflected(one: str, other: str, table: WordTable) -> bool:
    if one in table.known and other in table.known:
        return False
    return _has_other_ending(one, other) or _has_other_ending(_single(one), _single(other))


def _has_other_ending(one: str, other: str) -> bool:
    same = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    endings = {one[same:], other[same:]}
    if same < 2 or len(endings) < 2 or not (endings in OF_ITS_OWN or endings <= ENDINGS):
        return False
    if not _may_alternate(one, same, endings):
        return False
    if same == 2 and endings == {"", "er"}:  # Ei, Eier: too short for a stemmer
        return True
    return endings in OF_ITS_OWN or not _stems(one).isdisjoint(_stems(other))


def _may_alternate(word: str, same: int, endings: set[str]) -> bool:
    if "" in endings:
        (added,) = endings - {""}
        shortest = 2 if added in ("er", "s") else 3 if added in ("es", "n", "en", "d", "ed") else 4
        return added not in NEVER_ADDED and same >= shortest
    if endings & {"d", "ed"} and not endings <= {"d", "ed", "e", "ing"}:
        return False
    # In Italian “pesca” is no form of “pesce”.
    if word[same - 1] in "cg" and endings & HARD and endings & SOFT:
        return False
    return same >= 3 or endings == {"y", "ies"}


def _sounds_alike(said: str, name: str) -> bool:
    return not {_sound(word) for word in spellings(said)}.isdisjoint({_sound(word) for word in spellings(name)})


def _is_misspelled(said: str, name: str) -> bool:
    if said[:1] != name[:1] or min(len(said), len(name)) < SHORTEST_SPELLING:
        return False
    sound, sound_of_name = _sound(said), _sound(name)
    if sound == sound_of_name:
        return True
    if min(len(sound), len(sound_of_name)) < SHORTEST_SLIP:
        return False
    return OSA.distance(sound, sound_of_name, score_cutoff=1) <= 1


@lru_cache(maxsize=32768)
def _stems(word: str) -> frozenset[str]:
    return frozenset(stemmer.stemWord(word) for stemmer in _STEMMERS)


_STEMMERS = tuple(snowballstemmer.stemmer(language) for language in LANGUAGES)


@lru_cache(maxsize=32768)
def _sound(word: str) -> str:
    for pattern, sound in SOUNDS:
        word = pattern.sub(sound, word)
    return word


def _single(word: str) -> str:
    return SOUNDS[-1][0].sub(r"\1", word)


def closest(said: str, names: Iterable[str], *, most: int = 3) -> list[str]:
    """The names that look most like it, for asking back."""
    by_spelling = {fold(plain_text(name)): name for name in names}
    found = process.extract(
        fold(plain_text(said)), by_spelling.keys(), scorer=fuzz.ratio, limit=most, score_cutoff=ALIKE_PERCENT
    )
    return [by_spelling[spelling] for spelling, percent, _ in found if percent > found[0][1] - FAR_BEHIND_PERCENT]
