"""Sums and taxes of an order, and prices as they are spoken. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

# Currencies without a smaller coin; every other has hundredths here, as the price columns do.
WHOLE_CURRENCIES = {"CLP", "ISK", "JPY", "KRW", "VND", "XAF", "XOF"}
# One and many of the coin and of its hundredth.
SPOKEN_CURRENCIES = {
    "AUD": ("dollar", "dollars", "cent", "cents"),
    "CAD": ("dollar", "dollars", "cent", "cents"),
    "CHF": ("franc", "francs", "centime", "centimes"),
    "EUR": ("euro", "euros", "cent", "cents"),
    "GBP": ("pound", "pounds", "penny", "pence"),
    "JPY": ("yen", "yen", "", ""),
    "NZD": ("dollar", "dollars", "cent", "cents"),
    "USD": ("dollar", "dollars", "cent", "cents"),
}


@dataclass(frozen=True, slots=True)
class TaxRule:
    """How an organisation's prices and taxes relate."""

    currency: str
    percent: Decimal
    is_included: bool


@dataclass(frozen=True, slots=True)
class Totals:
    """`subtotal` is the sum of the lines, `total` what the caller pays; included tax is a part of both."""

    subtotal: Decimal
    tax: Decimal
    total: Decimal


def totals_of(line_prices: Iterable[Decimal], rule: TaxRule) -> Totals:
    """Sum the lines and round the tax half up, once for the whole order."""
    coin = Decimal(1) if rule.currency in WHOLE_CURRENCIES else Decimal("0.01")
    subtotal = sum(line_prices, Decimal(0)).quantize(Decimal("0.01"))
    if rule.is_included:
        tax = (subtotal * rule.percent / (100 + rule.percent)).quantize(coin, ROUND_HALF_UP)
        return Totals(subtotal, tax.quantize(Decimal("0.01")), subtotal)
    tax = (subtotal * rule.percent / 100).quantize(coin, ROUND_HALF_UP).quantize(Decimal("0.01"))
    return Totals(subtotal, tax, subtotal + tax)


def say_price(amount: Decimal, currency: str) -> str:
    """“29 euros 70”, “1 dollar”, “50 cents”; a currency without words here as “29.70 SEK”."""
    if currency not in SPOKEN_CURRENCIES:
        return f"{amount:.2f} {currency}"
    one, many, hundredth, hundredths = SPOKEN_CURRENCIES[currency]
    whole, rest = divmod(int((amount * 100).to_integral_value(ROUND_HALF_UP)), 100)
    coins = f"{whole} {one if whole == 1 else many}"
    if not rest or not hundredth:
        return coins
    if not whole:
        return f"{rest} {hundredth if rest == 1 else hundredths}"
    return f"{coins} {rest:02}" if rest >= 10 else f"{coins} and {rest} {hundredth if rest == 1 else hundredths}"
