"""A draft checked again with the current menu, and how an order is read back."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from agents.catalog.offers import Catalog
from sessions.orders.draft import Line, apply_changes, counted, refresh
from sessions.orders.draft.wording import read_back_sentence, say_total, show_order
from sessions.orders.pricing import TaxRule, Totals, totals_of
from sessions.tests.menus import BURGER, MARGHERITA, MENU, SIZES, TIRAMISU, menu_with, menu_without

TAXED = TaxRule("EUR", Decimal(10), False)


def order(*items: dict[str, object]) -> tuple[Line, ...]:
    return apply_changes((), [{"do": "add", **item} for item in items], MENU)


def test_an_unchanged_menu_changes_nothing() -> None:
    lines = order({"item": "Margherita"}, {"item": "Meal deal", "modifiers": ["side salad"]})
    fresh = refresh(lines, MENU)
    assert (fresh.lines, fresh.changed, fresh.problems) == (lines, (), ())


def test_a_new_price_is_taken_and_said() -> None:
    lines = order({"item": "Margherita", "size": "large"}, {"item": "Burger"})
    dearer = menu_with(replace(MARGHERITA, sizes=(*SIZES[:2], replace(SIZES[2], price=Decimal("13.00")))))
    fresh = refresh(lines, dearer)
    assert [line.price for line in fresh.lines] == [Decimal("13.00"), Decimal("8.00")]
    assert fresh.changed == ("The price of the large Margherita has changed.",)


def test_a_new_name_is_no_news_but_another_line() -> None:
    lines = order({"item": "Burger"})
    fresh = refresh(lines, menu_with(replace(BURGER, name="Hamburger")))
    assert fresh.lines != lines
    assert (fresh.lines[0].item, fresh.changed) == ("Hamburger", ())


def test_what_cannot_be_had_stays_until_the_caller_decides() -> None:
    lines = order({"item": "Tiramisù"}, {"item": "Burger"})
    fresh = refresh(lines, menu_without(TIRAMISU))
    assert (fresh.lines, fresh.problems) == (lines, ("The Tiramisù is no longer on the menu.",))


def test_the_order_as_a_whole_must_still_fit_the_counts() -> None:
    lines = order({"item": "Tiramisù", "quantity": 3})
    assert refresh(lines, menu_with(replace(TIRAMISU, count_left=2))).problems == (
        "There are only 2 of Tiramisù left.",
    )


def test_counting_takes_modifiers_times_the_line() -> None:
    lines = order({"item": "Margherita", "quantity": 2, "modifiers": ["olives", "olives"]}, {"item": "Burger"})
    assert {(one.kind, one.id): number for one, number in counted(lines).items()} == {
        ("item", 1): 2,
        ("size", 102): 2,
        ("modifier", 11): 2,
        ("modifier", 22): 4,
        ("item", 4): 1,
        ("modifier", 51): 1,
        ("modifier", 52): 1,
    }


def test_the_read_back_groups_what_is_alike_and_ends_in_a_question() -> None:
    lines = order(
        {"item": "Margherita", "size": "large", "quantity": 2, "modifiers": ["extra cheese", "olives", "olives"]},
        {"item": "Burger", "modifiers": ["no tomato"], "note": "well done"},
        {"item": "Tiramisù"},
    )
    # The same again, as an update may leave it.
    lines = (*lines, replace(lines[2], number=9))
    totals = totals_of((line.price for line in lines), TAXED)
    assert read_back_sentence(lines, totals, "EUR") == (
        "I have two large Margheritas with extra cheese and 2 times olives, "
        "one Burger with no tomato, with the note well done, and two Tiramisù. "
        "The total is 53 euros 90 with tax. Is that right?"
    )


def test_large_numbers_are_said_as_figures() -> None:
    lines = order({"item": "Margherita", "quantity": 13})
    assert "I have 13 medium Margheritas." in read_back_sentence(lines, totals_of([], TAXED), "EUR")


@pytest.mark.parametrize(
    ("totals", "said"),
    [
        (Totals(Decimal(10), Decimal(1), Decimal(10)), "10 euros, tax included"),
        (Totals(Decimal(10), Decimal(1), Decimal(11)), "11 euros with tax"),
        (Totals(Decimal(10), Decimal(0), Decimal(10)), "10 euros"),
    ],
)
def test_a_total_says_whether_tax_is_included_or_added(totals: Totals, said: str) -> None:
    assert say_total(totals, "EUR") == said


def test_the_model_is_shown_texts_not_floats() -> None:
    lines = order({"item": "Burger", "quantity": 2})
    shown = show_order(lines, totals_of((line.price for line in lines), TAXED), version=3, currency="EUR")
    assert shown == {
        "version": 3,
        "lines": [
            {"line": 1, "quantity": 2, "item": "Burger", "size": "", "modifiers": [], "note": "", "price": "16.00"}
        ],
        "subtotal": "16.00",
        "tax": "1.60",
        "total": "17.60",
        "currency": "EUR",
    }


def test_a_catalog_knows_its_headings() -> None:
    catalog = Catalog("EUR", MENU.items[:3])
    assert {heading: [item.name for item in items] for heading, items in catalog.categories().items()} == {
        "Pizzas": ["Margherita", "Funghi"],
        "Deals": ["Meal deal"],
    }
