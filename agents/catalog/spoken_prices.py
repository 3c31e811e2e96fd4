"""Prices as the agent says them, and as the admin shows what it says. Pure."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from .offers import ItemOffer, ModifierOffer, SizeOffer

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


def say_size(size: SizeOffer, currency: str) -> str:
    """“large for 12 euros”."""
    return f"{size.name} for {say_price(size.price, currency)}"


def say_item(item: ItemOffer, currency: str) -> tuple[str, ...]:
    """Each way in which a caller can buy the item, as the agent says it: its sizes, or the item for its price."""
    if item.sizes:
        return tuple(say_size(size, currency) for size in item.sizes)
    return (f"{item.name} for {say_price(item.price, currency)}",)


def say_modifier(modifier: ModifierOffer, currency: str) -> str:
    """“deep dish for 2 euros more”; without a price where it adds none."""
    return f"{modifier.name} for {say_price(modifier.price, currency)} more" if modifier.price else modifier.name
