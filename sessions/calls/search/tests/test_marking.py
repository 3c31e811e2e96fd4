"""A hit is shown in its sentence, marked and escaped."""

from __future__ import annotations

import pytest

from sessions.calls.search.marking import LONGEST_SENTENCE, excerpt_of
from sessions.calls.search.typed import read_search


def shown(text: str, typed: str) -> str:
    return excerpt_of(text, read_search(typed, regions=["DE"])).html


@pytest.mark.parametrize(
    ("text", "typed", "html"),
    [
        ("Good evening. A pizza, please. Bye.", "PIZZA", "A <mark>pizza</mark>, please."),
        ("I am Müller, hello.", "mueller", "I am <mark>Müller</mark>, hello."),
        ("Ring +49 (0)176 / 12 34 567.", "0176 1234567", "Ring +<mark>49 (0)176 / 12 34 567</mark>."),
        ("No onions, no garlic.", '"no garlic"', "No onions, <mark>no garlic</mark>."),
        ("<script>pizza</script> & more", "pizza", "&lt;script&gt;<mark>pizza</mark>&lt;/script&gt; &amp; more"),
        ("Pizzas", "pizz*", "<mark>Pizzas</mark>"),
        ("東京へ行く。はい。", "東京", "<mark>東京</mark>へ行く。"),
        ("שלום לך", "שלום", "<mark>שלום</mark> לך"),
        ("Nothing of it", "pizza", "Nothing of it"),
        ("", "pizza", ""),
    ],
)
def test_what_was_found_is_marked(text: str, typed: str, html: str) -> None:
    assert shown(text, typed) == html


def test_a_long_sentence_is_cut_around_the_hit() -> None:
    excerpt = excerpt_of("word " * 500 + "pizza " + "more " * 500, read_search("pizza"))
    assert excerpt.text.startswith("… ")
    assert excerpt.text.endswith(" …")
    assert "<mark>pizza</mark>" in excerpt.html
    assert len(excerpt.text) <= LONGEST_SENTENCE + 4
