"""What is typed becomes words; nothing in it is an operator of a database."""

from __future__ import annotations

import pytest

from sessions.calls.search.typed import LONGEST_SEARCH, Phrase, SearchRefused, read_search


def spellings(typed: str, *regions: str) -> list[set[str]]:
    """Of each term, as text; a star stands behind the beginning of a word."""
    terms = read_search(typed, regions=regions).terms
    return [{" ".join(each.words) + "*" * each.is_beginning for each in term} for term in terms]


def test_words_are_terms_of_their_own_and_quoted_ones_stand_together() -> None:
    assert spellings('Pizza "no Onions" hawai*') == [{"pizza"}, {"no onions"}, {"hawai*"}]
    assert spellings("„keine Zwiebeln“ pizza") == [{"keine zwiebeln"}, {"pizza"}]


@pytest.mark.parametrize("typed", ["0176 1234567", "0176/123-45-67", "(0176) 1234567", "01761234567"])
def test_a_national_number_is_found_in_each_notation(typed: str) -> None:
    [term] = spellings(typed, "DE")
    assert {"01761234567*", "491761234567*", "00491761234567*"} <= term


@pytest.mark.parametrize("typed", ["+49 176 1234567", "+49 (0)176 1234567", "0049 176 1234567", "＋49 1761234567"])
def test_an_international_number_is_found_in_each_notation_wherever_one_is(typed: str) -> None:
    [term] = spellings(typed, "US")
    assert {"01761234567*", "491761234567*", "00491761234567*"} <= term


def test_the_beginning_of_a_number_is_enough() -> None:
    assert "4917612*" in spellings("0176 12", "DE")[0]


def test_small_numbers_are_several_words() -> None:
    assert spellings("2 4 drinks") == [{"2"}, {"4"}, {"drinks"}]
    assert spellings("12.50") == [{"12 50", "1250"}]


def test_compounds_are_found_in_each_spelling() -> None:
    assert spellings("Müller-Thurgau") == [{"muller thurgau", "mullerthurgau", "muellerthurgau"}]
    assert spellings("東京") == [{"東 京"}]


@pytest.mark.parametrize(
    "typed", ["AND OR NOT NEAR", "words:pizza", "pizza & !onions | (x)", "^pizza -onions", "a* b*"]
)
def test_operators_of_databases_are_words_or_nothing(typed: str) -> None:
    for term in read_search(typed).terms:
        for phrase in term:
            assert all(word.isalnum() for word in phrase.words)


def test_a_short_beginning_is_a_whole_word() -> None:
    assert read_search("pi*").terms == ((Phrase(("pi",)),),)


@pytest.mark.parametrize("typed", ["", "   ", "🍕🍕", "\x00", '"', '""', "***", "—", "\u200f"])
def test_without_a_word_there_is_nothing_to_search(typed: str) -> None:
    with pytest.raises(SearchRefused, match="at least one word"):
        read_search(typed)


def test_too_much_is_refused() -> None:
    with pytest.raises(SearchRefused, match="200 characters"):
        read_search("x" * 10_000)
    with pytest.raises(SearchRefused, match="12 words"):
        read_search(" ".join(f"word{chr(97 + n)}" for n in range(13)))
    assert len(read_search("the " * (LONGEST_SEARCH // 4)).terms) == 1
