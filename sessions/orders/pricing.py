"""Sums and taxes of an order. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

# Currencies without a smaller coin; every other has hundredths here, as the price columns do.
WHOLE_CURRENCIES = {"CLP", "ISK", "JPY", "KRW", "VND", "XAF", "XOF"}


@dataclass(frozen=True, slots=True)
class TaxRule:
    """How an organization's prices and taxes relate."""

    currency: str
    percent: Decimal
    is_included: bool


@dataclass(frozen=True, slots=True)
class Totals:
    """`subtotal` is the sum of the lines, `total` what the caller pays, with `fee`; included tax is a part of them."""

    subtotal: Decimal
    tax: Decimal
    total: Decimal
    fee: Decimal = Decimal(0)


def totals_of(line_prices: Iterable[Decimal], rule: TaxRule, *, fee: Decimal = Decimal(0)) -> Totals:
    """Sum the lines and round the tax half up, once for the whole order. A fee of delivery is taxed like the lines."""
    coin = Decimal(1) if rule.currency in WHOLE_CURRENCIES else Decimal("0.01")
    subtotal = sum(line_prices, Decimal(0)).quantize(Decimal("0.01"))
    fee = fee.quantize(Decimal("0.01"))
    taxed = subtotal + fee
    if rule.is_included:
        tax = (taxed * rule.percent / (100 + rule.percent)).quantize(coin, ROUND_HALF_UP)
        return Totals(subtotal, tax.quantize(Decimal("0.01")), taxed, fee)
    tax = (taxed * rule.percent / 100).quantize(coin, ROUND_HALF_UP).quantize(Decimal("0.01"))
    return Totals(subtotal, tax, taxed + tax, fee)


def is_tax_included(*, subtotal: Decimal, tax: Decimal, total: Decimal, fee: Decimal = Decimal(0)) -> bool:
    """Whether the lines' prices contain the tax, read from the sums of an order."""
    return bool(tax) and total == subtotal + fee


def say_tax(totals: Totals) -> str:
    """What is said after a total: how the tax relates to it; nothing where there is none."""
    if not totals.tax:
        return ""
    is_included = is_tax_included(subtotal=totals.subtotal, tax=totals.tax, total=totals.total, fee=totals.fee)
    return ", tax included" if is_included else " with tax"
