"""The second at which the caller said a name: found by its words, in the turn in which the model wrote it down."""

from __future__ import annotations

import pytest

from sessions.calls.said_times import SaidLine, hear_from, said_at_ms

# As a caller orders: the first line takes 40 characters in 4 s.
FIRST = SaidLine("Hi, I'd like two small funghi pizzas now", 1_000, 5_000, 1)
SECOND = SaidLine("And a tiramisu", 9_000, 10_400, 2)
YES = SaidLine("Yes please", 20_000, 21_000, 3)
LINES = [FIRST, SECOND, YES]


@pytest.mark.parametrize(
    ("names", "turn", "at_ms"),
    [
        (["Funghi"], 1, 3_300),
        (["Tiramisu"], 2, 9_600),
        (["Panna cotta", "tira misu"], 2, 9_600),  # another name of the item, heard as one word
        (["Funghi"], 3, 3_300),  # agreed to later: it was said before
        (["Funghis"], 1, 3_300),
        (["Small Funghi pizza"], 1, 2_700),
        (["Panna cotta"], 3, 20_000),  # not a word of it: the turn's own line
        (["Panna cotta"], 2, 9_000),
        (["Tiramisu"], 1, 1_000),  # said only afterwards
        (["Tiramisu"], None, 9_600),
        (["Panna cotta"], None, None),
        ([], 2, 9_000),
        (["4711"], 2, 9_000),
    ],
)
def test_a_name_is_found_where_the_caller_said_it(names: list[str], turn: int | None, at_ms: int | None) -> None:
    assert said_at_ms(names, LINES, turn) == at_ms


def test_of_two_places_that_of_the_turn_counts() -> None:
    asked = SaidLine("What is in the margherita pizza?", 0, 3_000, 1)
    ordered = SaidLine("A margherita then", 8_000, 9_700, 2)
    assert said_at_ms(["Margherita pizza"], [asked, ordered], 2) == 8_200
    assert said_at_ms(["Margherita pizza"], [asked, ordered], 1) == asked.ms_of(asked.text.index("margherita"))


def test_two_words_are_one_and_one_word_is_two() -> None:
    line = SaidLine("a milk shake and a cheeseburger", 0, 3_100, 1)
    assert said_at_ms(["Milkshake"], [line], 1) == 200
    assert said_at_ms(["Cheese Burger"], [line], 1) == 1_900


def test_without_a_transcript_nobody_knows() -> None:
    assert said_at_ms(["Funghi"], [], 1) is None


def test_one_listens_from_a_second_before() -> None:
    assert [hear_from(each) for each in (None, 0, 400, 84_230)] == ["", "0.0", "0.0", "83.2"]
