"""One word, whatever the notation."""

from __future__ import annotations

import unicodedata

import pytest

from sessions.calls.search.words import LONGEST_TEXT, LONGEST_WORD, words_in
from sessions.calls.search.words_field import BOUNDARY, LONGEST, indexed_words


def main(text: str) -> list[str]:
    return [word.text for word in words_in(text).main]


def further(text: str) -> list[str]:
    return [word.text for word in words_in(text).further]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Two PIZZAS, please!", ["two", "pizzas", "please"]),
        ("Crème brûlée", ["creme", "brulee"]),
        ("Straße Øster Łódź", ["strasse", "oster", "lodz"]),
        ("B12 7pm", ["b", "12", "7", "pm"]),
        ("１２ ٣٤", ["12", "34"]),
        ("東京へ", ["東", "京", "へ"]),
        ("हिंदी தமிழ்", ["हिंदी", "தமிழ்"]),
        ("שָׁלוֹם مُحَمَّد", ["שלום", "محمد"]),
        ("İstanbul", ["istanbul"]),
        ("5 m² ½", ["5", "m2", "12"]),
        ("🍕 — !? \x00\u200f", []),
        ("", []),
    ],
)
def test_words_are_compared_without_case_and_accents(text: str, words: list[str]) -> None:
    assert main(text) == words
    assert main(unicodedata.normalize("NFD", text)) == words


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("Müller", "mueller"),
        ("O'Brien", "obrien"),
        ("Anna-Maria", "annamaria"),
        ("M-U-L-L-E-R", "muller"),
        ("M. U. L. L. E. R.", "muller"),
        ("Müller-Lüdenscheid", "muellerluedenscheid"),
        ("0176 / 12-34 56", "0176123456"),
        ("+49 (0)176 1234567", "491761234567"),
        ("\u202a0176\u202c 1234567", "01761234567"),
        ("1,250.00", "1250"),
        ("1.250", "1250"),
        ("19:30", "1930"),
    ],
)
def test_further_spellings_are_words_too(text: str, spelling: str) -> None:
    assert spelling in further(f"It is {text}, yes.")


def test_words_say_where_they_stand() -> None:
    text = "Call 0176-12 34, Crème!"
    assert [text[word.start : word.end] for word in words_in(text).main] == ["Call", "0176", "12", "34", "Crème"]
    assert [text[word.start : word.end] for word in words_in(text).further] == ["0176-12 34"]


def test_long_texts_and_words_are_cut() -> None:
    assert main("a" * 5000) == ["a" * LONGEST_WORD]
    assert len(indexed_words("word, " * LONGEST_TEXT, "o1")) <= LONGEST + 1
    assert further("1 2 " * 3000) == []


def test_the_scope_stands_first_and_what_is_spelled_otherwise_last() -> None:
    assert indexed_words("Herr Müller", "o1") == f"o1 herr muller {BOUNDARY} mueller "
    assert indexed_words("", "o1") == "o1 "
    # A text that looks like a scope consists of several words.
    assert indexed_words("o1 x0x", "u2").startswith("u2 o 1 x 0 x")
