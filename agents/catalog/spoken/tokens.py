"""Cuts a text into words, numbers and breaks, and says of each what the table knows of it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from .folding import fold, plain_text
from .table import DEFAULT_TABLE, Meaning, Role, WordTable

LONGEST_NAME = 120
LONGEST_TEXT = 700  # a menu's own description
# Abbreviations with a stroke, which would be cut in two.
STROKES = (
    (re.compile(r"(?<!\w)w/o(?!\w)"), " without "),
    (re.compile(r"(?<!\w)w/(?=\s?\w)"), " with "),
    (re.compile(r"(?<!\w)s/(?=\s?[^\W\d])"), " sin "),
    (re.compile(r"(?<!\w)c/(?=\s?[^\W\d])"), " con "),
    (re.compile(r"(?<![\w-])-(?=[^\W\d_])"), " minus "),
    (re.compile(r"\+"), " plus "),
    (re.compile(r"&"), " and "),
    (re.compile(r"%"), " percent "),
)
ELISION = re.compile(r"(?<!\w)(d|l|qu|dell|all|nell|sull|un)'(?=\w)")
NUMBER = re.compile(r"\d+(?:[.,]\d+)?(?:\s?/\s?\d+)?")
BREAKS = set(",;:()/[]|")
SHORTEST_COMPOUND = 3


@dataclass(frozen=True, slots=True)
class Token:
    """A word as `plain_text` leaves it (several for a phrase of the table), a number, or a break."""

    text: str
    meaning: Meaning
    unit: str = ""
    is_break: bool = False

    @property
    def role(self) -> Role:
        return self.meaning.role


CONTENT = Meaning(Role.CONTENT)
BREAK = Token(",", CONTENT, is_break=True)


@lru_cache(maxsize=32768)
def read_tokens(text: str, table: WordTable = DEFAULT_TABLE) -> tuple[Token, ...]:
    """The tokens of a text of at most LONGEST_TEXT characters."""
    plain = plain_text(text[:LONGEST_TEXT])
    for pattern, words in STROKES:
        plain = pattern.sub(words, plain)
    plain = ELISION.sub(lambda found: "de " if found[1] == "d" else " ", plain)
    return tuple(_numbers_joined(_with_meaning(list(_cut(plain)), table)))


def _cut(text: str) -> Iterator[str]:
    """Words, numbers and characters that separate; an apostrophe inside a word is dropped."""
    at = 0
    while at < len(text):
        if number := NUMBER.match(text, at):
            yield number[0]
            at = number.end()
            continue
        end = at
        while end < len(text) and (_is_letter(text[end]) or (text[end] == "'" and end > at)):
            end += 1
        if end > at:
            yield text[at:end].replace("'", "")
            at = end
        else:
            if text[at] in BREAKS:
                yield ","
            at += 1


def _is_letter(character: str) -> bool:
    return unicodedata.category(character)[0] in "LM"


def _with_meaning(words: list[str], table: WordTable) -> Iterator[Token]:
    at = 0
    while at < len(words):
        for length in range(min(table.longest, len(words) - at), 0, -1):
            meaning = table.meaning(tuple(words[at : at + length]))
            if meaning is not None:
                yield from _meant(words[at : at + length], meaning)
                at += length
                break
        else:
            yield from _alone(words[at], table)
            at += 1


def _meant(words: list[str], meaning: Meaning) -> Iterator[Token]:
    if meaning.role is Role.CONTENT:
        yield from (Token(word, CONTENT) for word in words)
    else:
        yield Token(" ".join(words), meaning)


def _alone(word: str, table: WordTable) -> Iterator[Token]:
    if word == ",":
        yield BREAK
    elif word[0].isdigit():
        yield Token(word, Meaning(Role.NUMBER, _value(word)))
    else:
        yield from _compound(word, table)


def _compound(word: str, table: WordTable) -> Iterator[Token]:
    """“zuckerfrei” and “sugarfree” are two words; so is 不要香菜."""
    plain = fold(word)
    shortest = SHORTEST_COMPOUND if plain.isascii() else 1
    for suffix, meaning in table.suffixes.items():
        if plain.endswith(suffix) and len(plain) - len(suffix) >= shortest and plain not in table.known:
            yield Token(plain[: -len(suffix)], CONTENT)
            yield Token(suffix, meaning)
            return
    for prefix, meaning in table.prefixes.items():
        if plain.startswith(prefix) and len(plain) - len(prefix) >= shortest and plain not in table.known:
            yield Token(prefix, meaning)
            yield Token(plain[len(prefix) :], CONTENT)
            return
    yield Token(word, CONTENT)


def _value(text: str) -> Fraction:
    parts = re.split(r"\s?/\s?", text.replace(",", "."))
    value = Fraction(parts[0])
    return value / Fraction(parts[1]) if len(parts) > 1 and Fraction(parts[1]) else value


def _numbers_joined(tokens: Iterator[Token]) -> list[Token]:
    """“twenty five” is one number, and so is “1 1/2”."""
    joined: list[Token] = []
    for token in tokens:
        last = joined[-1] if joined else None
        if last is not None and last.role is Role.NUMBER and token.role is Role.NUMBER:
            high, low = last.meaning.value, token.meaning.value
            assert isinstance(high, Fraction)
            assert isinstance(low, Fraction)
            if (high % 10 == 0 and 20 <= high < 100 and 0 < low < 10) or (high >= 1 and 0 < low < 1):
                joined[-1] = Token(f"{last.text} {token.text}", Meaning(Role.NUMBER, high + low))
                continue
        joined.append(token)
    return joined
