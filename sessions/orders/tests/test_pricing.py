"""Sums, taxes and spoken prices, worked out by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.catalog.offers import say_price
from sessions.orders.pricing import TaxRule, Totals, totals_of

D = Decimal


def totals(prices: list[str], percent: str, *, included: bool = False, currency: str = "EUR") -> Totals:
    return totals_of(map(D, prices), TaxRule(currency, D(percent), included))


def test_tax_is_added_on_the_whole_and_rounded_once() -> None:
    # Line by line it would be 3 × round(0.0045) = 0; on the whole it is round(0.0135) = 0.01.
    assert totals(["0.15", "0.15", "0.15"], "3") == Totals(D("0.45"), D("0.01"), D("0.46"))
    assert totals(["27.00"], "10") == Totals(D("27.00"), D("2.70"), D("29.70"))


@pytest.mark.parametrize(
    ("price", "percent", "tax"),
    [
        ("0.50", "1", "0.01"),
        ("1.50", "1", "0.02"),
        ("2.50", "1", "0.03"),
        ("0.49", "1", "0.00"),
        ("9.99", "8.875", "0.89"),
    ],
)
def test_half_a_cent_is_rounded_up(price: str, percent: str, tax: str) -> None:
    assert totals([price], percent).tax == D(tax)


def test_included_tax_is_a_part_of_the_total() -> None:
    # 11.90 × 19 / 119 = 1.90
    assert totals(["10.00", "1.90"], "19", included=True) == Totals(D("11.90"), D("1.90"), D("11.90"))
    # 0.10 × 5 / 105 = 0.00476…
    assert totals(["0.10"], "5", included=True).tax == D("0.00")


def test_a_currency_without_coins_below_one_is_taxed_in_whole_ones() -> None:
    assert totals(["105"], "10", currency="JPY") == Totals(D("105.00"), D("11.00"), D("116.00"))
    assert totals(["110"], "10", included=True, currency="JPY") == Totals(D("110.00"), D("10.00"), D("110.00"))


def test_nothing_costs_nothing() -> None:
    assert totals([], "19") == Totals(D("0.00"), D("0.00"), D("0.00"))


@given(
    prices=st.lists(st.decimals(0, 500, places=2), max_size=12),
    percent=st.decimals(0, 100, places=3),
    included=st.booleans(),
)
def test_the_tax_is_never_further_than_half_a_cent_from_exact(
    prices: list[Decimal], percent: Decimal, included: bool
) -> None:
    found = totals_of(prices, TaxRule("EUR", percent, included))
    assert found.subtotal == sum(prices, D(0))
    assert found.total == found.subtotal + (0 if included else found.tax)
    exact = found.subtotal * percent / (100 + percent if included else 100)
    assert -D("0.005") < found.tax - exact + D("1e-20") <= D("0.005") + D("1e-19")


@pytest.mark.parametrize(
    ("amount", "currency", "spoken"),
    [
        ("29.70", "EUR", "29 euros 70"),
        ("1.00", "EUR", "1 euro"),
        ("12.00", "GBP", "12 pounds"),
        ("12.05", "GBP", "12 pounds and 5 pence"),
        ("2.01", "GBP", "2 pounds and 1 penny"),
        ("0.50", "USD", "50 cents"),
        ("0.01", "USD", "1 cent"),
        ("0.00", "USD", "0 dollars"),
        ("1500", "JPY", "1500 yen"),
        ("29.70", "SEK", "29.70 SEK"),
    ],
)
def test_prices_are_spoken_in_words_of_the_currency(amount: str, currency: str, spoken: str) -> None:
    assert say_price(D(amount), currency) == spoken
