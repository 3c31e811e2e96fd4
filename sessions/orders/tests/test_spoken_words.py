"""One word beside another, and what small words mean: the engine below the names of a menu."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest

from agents.catalog.offers import Catalog, ItemOffer
from agents.catalog.spoken import DEFAULT_TABLE, Ear, Likeness, read_phrase
from agents.catalog.spoken.folding import fold
from sessions.orders.draft import Refused, apply_changes
from sessions.orders.draft.wishes import understand_item


@pytest.mark.parametrize(
    ("said", "name", "expected"),
    [
        ("käse", "käse", Likeness.IDENTICAL), ("kaese", "käse", Likeness.FOLDED), ("kase", "käse", Likeness.FOLDED),
        ("oeuf", "œuf", Likeness.FOLDED), ("jalapeno", "jalapeño", Likeness.FOLDED),
        ("fries", "fry", None), ("fried", "fries", None), ("beef", "beet", None), ("pesce", "pesca", None),
        ("pimienta", "pimiento", None), ("poire", "poivre", None), ("polo", "pollo", None), ("cola", "col", None),
        ("prednisolone", "prednisone", None), ("agneau", "anneau", None), ("ハン", "パン", None), ("кот", "код", None),
        ("tomaten", "tomaat", Likeness.INFLECTED), ("eier", "ei", Likeness.INFLECTED),
        ("pizze", "pizza", Likeness.INFLECTED), ("jamones", "jamón", Likeness.INFLECTED),
        ("berries", "berry", Likeness.INFLECTED), ("iced", "ice", Likeness.INFLECTED),
        ("mozarella", "mozzarella", Likeness.MISSPELLED), ("expresso", "espresso", Likeness.MISSPELLED),
        ("mayonnaise", "mayonaise", Likeness.MISSPELLED), ("colour", "color", Likeness.MISSPELLED),
    ],
)  # fmt: skip
def test_spelling_and_inflection_are_forgiven_content_is_not(said: str, name: str, expected: Likeness | None) -> None:
    assert Ear().likeness(said, name) is expected


def test_a_slip_that_makes_another_word_of_the_menu_is_none() -> None:
    assert Ear().likeness("quesadiya", "quesadilla") is Likeness.MISSPELLED
    assert Ear(["quesadiya"]).likeness("quesadiya", "quesadilla") is None


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("no-mushrooms", "without mushrooms"), ("w/o mushrooms", "hold the mushrooms"),
        ("mushroom-free", "mushroomfree"),
        ("ohne Käse", "kein Käse"), ("Käse weglassen", "käsefrei"), ("sans l'ail", "pas d’ail"),
        ("senza aglio", "niente aglio"), ("s/ cebolla", "sin cebolla"), ("zonder ui", "geen ui"),
        ("ｂａｃｏｎ", "bacon"), ("half a litre", "0,5 l"), ("1½ kg", "1500 g"), ("twenty-five", "25"),
        ("un litro", "1000 ml"), ("a dozen eggs", "12 eggs"), ("doppelter Espresso", "espresso doppio"),
        ("alkoholfreies Bier", "bier ohne Alkohol"), ("please, some bacon on it", "bacon"),
    ],
)  # fmt: skip
def test_what_says_the_same_is_read_as_the_same(text: str, same: str) -> None:
    one, other = read_phrase(text), read_phrase(same)
    assert {(fold(word.text), word.is_negated) for word in one.words} == {
        (fold(word.text), word.is_negated) for word in other.words
    }
    assert len(one.amounts) == len(other.amounts)
    assert all(left.equals(right) for left, right in zip(one.amounts, other.amounts, strict=True))
    assert one.marks == other.marks


@pytest.mark.parametrize(
    "name",
    ["Tire Rotation", "Ei", "Fruits de mer", "Hors d'oeuvres", "Chicken plate", "Fire Wings", "Venti", "Heavy Cream",
     "Große Inspektion", "X-Burguer"],
)  # fmt: skip
def test_a_word_of_one_language_is_no_small_word_of_another(name: str) -> None:
    """“tire” is Portuguese for “take off”, “Ei” Finnish for “no”, “mer” Swedish for “more”, “venti” Italian for 20."""
    phrase = read_phrase(name)
    assert not phrase.starts_negated
    assert phrase.marks == ()
    assert phrase.amounts == ()
    assert [word.is_negated for word in phrase.words] == [False] * len(phrase.words)
    assert len(phrase.words) >= len(name.split()) - (" de " in name)


@pytest.mark.parametrize("said", ["cerveza sin", "beer no", "beer without"])
def test_a_negation_beside_nothing_is_not_dropped(said: str) -> None:
    menu = Catalog("EUR", (ItemOffer(1, "Cerveza", Decimal(4), ("beer",)),))
    with pytest.raises(Refused):
        apply_changes((), [{"do": "add", "item": said}], menu)


def test_own_words_hold_beside_the_shipped_ones() -> None:
    table = DEFAULT_TABLE.extended((("without", "86 the"), ("content", "free"), ("known", "Hefe")))
    assert read_phrase("86 the onions", table).words[0].is_negated
    assert not read_phrase("free onions", table).words[0].is_negated
    assert read_phrase("no onions", table).words[0].is_negated
    assert "hefe" in table.known
    assert DEFAULT_TABLE.extended(()) is DEFAULT_TABLE


def test_a_name_in_a_menu_of_three_hundred_items_is_found_in_low_milliseconds() -> None:
    """A generous bound, for the machine is shared; it is about two milliseconds."""
    kinds = ["Margherita", "Funghi", "Carbonara", "Bolognese", "Tiramisu", "Lasagne", "Cola light", "Pollo al limone"]
    names = [f"{kinds[number % 8]} {number}" for number in range(301)]
    items = [ItemOffer(number, f"{name} speciale", Decimal(9), (name,)) for number, name in enumerate(names)]
    menu = Catalog("EUR", tuple(items))
    understand_item("Margherita 8 speciale", menu)
    spent = []
    for number in range(9, 29):
        began = time.perf_counter()
        (wish,) = understand_item(names[number], menu)
        spent.append(time.perf_counter() - began)
        assert wish.item.id == number
    assert sorted(spent)[10] < 0.05
