"""Finds what a caller means by a name: case, accents, plurals and small slips do not matter, doubt does."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import TypeVar

from agents.offers import ItemOffer, Offer

O = TypeVar("O", bound=Offer)  # noqa: E741 - the usual one-letter name of a type

LONGEST_NAME = 120
FILL_WORDS = {"a", "an", "the", "some", "of", "please"}
# Measured on menus: a slip of the tongue or of the transcription is above, another dish is below.
ALIKE = 0.8
CLEARLY_BETTER = 0.06


@lru_cache(maxsize=8192)
def stems(text: str) -> tuple[str, ...]:
    """The words of a text in one spelling: “Crème Brûlées” → creme, brul."""
    plain = "".join(
        sign for sign in unicodedata.normalize("NFKD", text[:LONGEST_NAME]) if not unicodedata.combining(sign)
    )
    words = "".join(sign if sign.isalnum() else " " for sign in plain.casefold().replace("'", "")).split()
    return tuple(_stem(word) for word in words if word not in FILL_WORDS) or tuple(map(_stem, words))


def find(query: str, offers: Sequence[O]) -> list[O]:
    """Those that the words mean: one if it is clear, several in doubt, none if nothing is like it.

    An exact name wins over another form, that over an incomplete name, that over a misspelt one.
    """
    words = stems(query)
    if not words:
        return []
    tests: list[Callable[[O], bool]] = [
        lambda offer: stems(offer.name) == words,
        lambda offer: any(stems(form) == words for form in offer.spoken_forms),
        lambda offer: _is_named_with_category(offer, words),
        lambda offer: any(set(words) < set(form) for form in _forms(offer)),
    ]
    for test in tests:
        found = [offer for offer in offers if test(offer)]
        if found:
            return found
    return _alike(" ".join(words), offers)


def closest_names(query: str, offers: Iterable[Offer], *, most: int = 3) -> list[str]:
    """Names that the caller may have meant, for asking back."""
    spelt = {" ".join(stems(offer.name)): offer.name for offer in offers}
    return [spelt[near] for near in difflib.get_close_matches(" ".join(stems(query)), spelt, n=most, cutoff=0.5)]


def either(names: Sequence[str]) -> str:
    """“a, b or c”."""
    return f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else "".join(names)


def _forms(offer: Offer) -> list[tuple[str, ...]]:
    return [stems(form) for form in (offer.name, *offer.spoken_forms)]


def _is_named_with_category(offer: Offer, words: tuple[str, ...]) -> bool:
    """“margherita pizza” is the Margherita under Pizzas."""
    if not isinstance(offer, ItemOffer):
        return False
    category = set(stems(offer.category))
    rest = tuple(word for word in words if word not in category)
    return bool(rest) and rest != words and rest in _forms(offer)


def _alike(query: str, offers: Sequence[O]) -> list[O]:
    ratios = sorted(((_ratio(query, offer), index) for index, offer in enumerate(offers)), reverse=True)
    ratios = [(ratio, index) for ratio, index in ratios if ratio >= ALIKE]
    return [offers[index] for ratio, index in ratios if ratio > ratios[0][0] - CLEARLY_BETTER]


def _ratio(query: str, offer: Offer) -> float:
    best = 0.0
    for form in _forms(offer):
        matcher = difflib.SequenceMatcher(None, " ".join(form), query)
        if matcher.real_quick_ratio() >= ALIKE and matcher.quick_ratio() >= ALIKE:
            best = max(best, matcher.ratio())
    return best


def _stem(word: str) -> str:
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        word = word[:-1]
    if len(word) > 2 and word.endswith("e"):
        word = word[:-1]
    return word[:-1] + "i" if len(word) > 2 and word.endswith("y") else word
