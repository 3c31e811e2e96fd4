"""One spelling for what is written in several: case, accents, umlauts, width, apostrophes.

Other scripts keep their marks.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

# How a character is written where it cannot be typed; the plain character is accepted too (Kase, Kaese, Käse).
DIGRAPHS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
LIGATURES = str.maketrans({"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ё": "е"})
# Scripts in which an accent is a matter of spelling; in others a mark makes another character (パン is not ハン).
ACCENTED_SCRIPTS = ("LATIN", "GREEK")
APOSTROPHES = dict.fromkeys("’‘‛`´ʼ＇′", "'")
DASHES = dict.fromkeys("‐‑‒–—―−﹘﹣－", "-")
SAME_SIGNS = str.maketrans({**APOSTROPHES, **DASHES, "№": " ", "®": " ", "™": " ", "⁄": "/"})


def plain_text(text: str) -> str:
    """Compatibility forms (full width, ligatures) normalized, lower case, one apostrophe and one dash."""
    text = "".join(_fraction(character) for character in text).translate(SAME_SIGNS)
    text = unicodedata.normalize("NFKC", text).translate(SAME_SIGNS)
    text = "".join(character for character in text if unicodedata.category(character) != "Cf")
    return unicodedata.normalize("NFC", text.casefold())


@lru_cache(maxsize=32768)
def spellings(word: str) -> frozenset[str]:
    """The word without accents, and with umlauts as two characters. `word` comes from `plain_text`."""
    return frozenset({_without_accents(word), _without_accents(word.translate(DIGRAPHS))})


def fold(word: str) -> str:
    """The plainest spelling."""
    return _without_accents(word)


@lru_cache(maxsize=32768)
def _without_accents(word: str) -> str:
    kept: list[str] = []
    base = ""
    for character in unicodedata.normalize("NFD", word):
        if not unicodedata.combining(character):
            base = character
        elif base and unicodedata.name(base, "").startswith(ACCENTED_SCRIPTS):
            continue
        kept.append(character)
    return unicodedata.normalize("NFC", "".join(kept)).translate(LIGATURES).replace("ς", "σ")


def _fraction(character: str) -> str:
    """“½” as “ 1/2 ”, for “1½” would become “11/2”."""
    if unicodedata.category(character) == "No" and "⁄" in unicodedata.normalize("NFKC", character):
        return f" {unicodedata.normalize('NFKC', character)} "
    return character
