"""The words of a text as the search compares them, the same on every database.

Case, accents and notation do not matter: `Müller`, `MULLER` and `Mueller` are one name, `0176 / 12-34 56` and
`0176123456` one number. A text has main words in their order, and further spellings: parts joined (`anna-maria` is
also `annamaria`, `m, u, e, l` also `muel`), umlauts spelled out. In Chinese, Japanese, Thai, Lao, Khmer and Burmese,
which are written without spaces, each character is a word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

# Longer words are compared by their beginning; the rest of a longer text is not searched.
LONGEST_WORD = 40
LONGEST_TEXT = 20_000
FEWEST_JOINED, MOST_JOINED = 3, 20

MARKS = "".join(chr(code) for code in range(0x300, 0xFE30) if unicodedata.category(chr(code)).startswith("M"))
DIRECTIONS = "\u200e\u200f\u202a-\u202e\u2066-\u2069"
JOINERS = "\u200c\u200d"
ALONE = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
WORD = re.compile(rf"\d+|[{ALONE}][{MARKS}]*|(?:[^\W\d_{ALONE}][{MARKS}{JOINERS}]*)+")
IS_ALONE = re.compile(f"[{ALONE}]")
# Accents, Hebrew points, Arabic vowels and the stroke that only stretches a line.
DROPPED = re.compile("[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670]")
# Letters that Unicode does not take apart.
LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"})
SPELLED_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
# What stands between the parts of one number, of one compound, and of a name that is spelled.
NUMBER_GAP = re.compile(rf"[\s()\[\]/.:,'’\-‐-―{DIRECTIONS}]{{1,4}}")
COMPOUND_GAP = re.compile("[-‐‑'’`´]")
SPELLING_GAP = re.compile(r"[\s.,\-‐‑]{1,2}")
THOUSANDS = re.compile(r"(\d{1,3}(?:[.,'’\s]\d{3})+)(?:[.,]\d{1,2})?")


@dataclass(frozen=True, slots=True)
class Word:
    """`text` as it is compared; `start` and `end` say where it stands in the original."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Words:
    """`runs` are ranges of `main` that stand for one thing, such as the groups of a number."""

    main: Sequence[Word]
    further: Sequence[Word]
    runs: Sequence[range]


def words_in(text: str) -> Words:
    text = text[:LONGEST_TEXT]
    found = [Word(fold(each.group()), each.start(), each.end()) for each in WORD.finditer(text)]
    main = [word for word in found if word.text]
    runs = list(_runs(text, main))
    further = [*_spelled_out(text, main)]
    for run in runs:
        further += _joined(text, [main[at] for at in run])
    return Words(main, further, runs)


def fold(word: str) -> str:
    """Lower case without accents. Empty if nothing remains."""
    if word.isascii():
        return word.lower()[:LONGEST_WORD]
    plain = unicodedata.normalize("NFKD", word.casefold().translate(LETTERS))
    kept = (each for each in DROPPED.sub("", plain) if each.isalnum() or each in MARKS)
    digits = (str(unicodedata.decimal(each)) if each.isdecimal() else each for each in kept)
    return unicodedata.normalize("NFC", "".join(digits))[:LONGEST_WORD]


def _runs(text: str, words: Sequence[Word]) -> Iterator[range]:
    """The longest stretches of two and more words that belong together."""
    first = 0
    for at, (one, other) in enumerate(pairwise(words)):
        if not _belong(one, other, text[one.end : other.start]):
            if at > first:
                yield range(first, at + 1)
            first = at + 1
    if len(words) - 1 > first:
        yield range(first, len(words))


def _belong(one: Word, other: Word, gap: str) -> bool:
    if one.text.isdigit() and other.text.isdigit():
        return NUMBER_GAP.fullmatch(gap) is not None
    if one.text.isdigit() or other.text.isdigit():
        return False
    if _is_alone(one) or _is_alone(other):
        return gap == "" and _is_alone(one) and _is_alone(other)
    if COMPOUND_GAP.fullmatch(gap):
        return True
    return len(one.text) == len(other.text) == 1 and SPELLING_GAP.fullmatch(gap) is not None


def _is_alone(word: Word) -> bool:
    return IS_ALONE.match(word.text) is not None


def _spelled_out(text: str, words: Sequence[Word]) -> Iterator[Word]:
    if text.isascii():
        return
    for word in words:
        spelled = _umlauts_spelled(text[word.start : word.end])
        if spelled != word.text:
            yield Word(spelled, word.start, word.end)


def _umlauts_spelled(word: str) -> str:
    return fold(unicodedata.normalize("NFC", word.casefold()).translate(SPELLED_OUT))


def _joined(text: str, run: Sequence[Word]) -> Iterator[Word]:
    start, end = run[0].start, run[-1].end
    if _is_alone(run[0]):
        return  # its characters are words already
    if run[0].text.isdigit():
        # People write +49 (0)176: the 0 is for those who dial without the country code.
        parts = [word.text for n, word in enumerate(run) if not (n and text[word.start - 1 : word.end + 1] == "(0)")]
        spellings = ["".join(parts)]
        if thousands := THOUSANDS.fullmatch(text, start, end):
            spellings.append("".join(each for each in thousands.group(1) if each.isdigit()))
    else:
        spellings = ["".join(word.text for word in run)]
        spellings.append("".join(_umlauts_spelled(text[word.start : word.end]) for word in run))
    for spelling in dict.fromkeys(spellings):
        if FEWEST_JOINED <= len(spelling) <= (MOST_JOINED if spelling.isdigit() else LONGEST_WORD):
            yield Word(spelling, start, end)
