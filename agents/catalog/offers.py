"""What an organization sells and books at a given time, and prices as the agent says them. Plain values, no Django."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from agents.catalog.spoken.table import DEFAULT_TABLE, WordTable
from agents.hours.schedule import Schedule


class Counted(NamedTuple):
    """A row whose `count_left` may be lowered. The kinds sort in the order in which rows are locked."""

    kind: str  # "item", "modifier" or "size"
    id: int


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that is said by name and may be out. `count_left` None: not counted."""

    id: int
    name: str
    price: Decimal
    spoken_forms: tuple[str, ...] = ()
    is_available: bool = True
    count_left: int | None = None


@dataclass(frozen=True, slots=True)
class SizeOffer(Offer):
    """A size of an item; its price is that of the item in this size."""

    is_default: bool = False


@dataclass(frozen=True, slots=True)
class ModifierOffer(Offer):
    """One choice of a group; its price is added. The agent asks for `groups` only when it is chosen."""

    is_default: bool = False
    groups: tuple[GroupOffer, ...] = ()
    allergens: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupOffer:
    """A choice of at least `minimum` and at most `maximum` modifiers."""

    id: int
    name: str
    minimum: int
    maximum: int
    modifiers: tuple[ModifierOffer, ...]


@dataclass(frozen=True, slots=True)
class ItemOffer(Offer):
    """A thing that can be ordered. One with sizes is always ordered in a size, at the price of that size.

    `allergens` as agents/catalog/allergens.py names them; empty if nobody has stated them. `served` says at which
    times it is sold (`serving`), empty for always; `back_at` when it is sold again, where that is why it is not
    available.
    """

    category: str = ""
    menu: str = ""
    description: str = ""
    most_per_order: int = 50
    sizes: tuple[SizeOffer, ...] = ()
    groups: tuple[GroupOffer, ...] = ()
    allergens: tuple[str, ...] = ()
    served: str = ""
    back_at: str = ""
    is_served: bool = True
    serving: Schedule | None = field(default=None, compare=False)

    @property
    def usual_size(self) -> SizeOffer | None:
        """The size that is taken when the caller names none; None where there are no sizes, or the agent has to ask.

        It is the default, or the only one. An only size at another price than the item's own is not assumed: callers
        who name no size must not be charged the higher price.
        """
        for size in self.sizes:
            if size.is_default:
                return size
        is_only_one = len(self.sizes) == 1 and self.sizes[0].price == self.price
        return self.sizes[0] if is_only_one else None

    @property
    def plain_price(self) -> Decimal | None:
        """The price without a named size and without choices that add to it; None: the agent asks for a size."""
        if not self.sizes:
            return self.price
        return self.usual_size.price if self.usual_size else None

    @property
    def least_price(self) -> Decimal:
        """What it costs at least."""
        return self.plain_price if self.plain_price is not None else min(size.price for size in self.sizes)

    def all_groups(self) -> Iterator[GroupOffer]:
        """Its groups, each followed by those under its modifiers."""
        yield from _walk(self.groups)


@dataclass(frozen=True, slots=True)
class ServiceOffer(Offer):
    """Something that can be booked. One that is not priced costs what the work costs; its price is 0 then."""

    is_priced: bool = True
    duration_minutes: int = 0
    description: str = ""


@dataclass(frozen=True, slots=True)
class Services:
    """The services of an organization at a given time, in their order; `words` reads spoken names."""

    currency: str
    offers: tuple[ServiceOffer, ...]
    is_tax_included: bool = False
    words: WordTable = DEFAULT_TABLE


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything an organization sells at a given time, in the order of its menus; `words` reads spoken names."""

    currency: str
    items: tuple[ItemOffer, ...]
    is_tax_included: bool = False
    words: WordTable = DEFAULT_TABLE

    def item(self, item_id: int) -> ItemOffer | None:
        """The item of that id, if it is still sold."""
        return next((item for item in self.items if item.id == item_id), None)

    def categories(self) -> dict[str, list[ItemOffer]]:
        """The items under their headings."""
        headed: dict[str, list[ItemOffer]] = {}
        for item in self.items:
            headed.setdefault(item.category, []).append(item)
        return headed


def _walk(groups: tuple[GroupOffer, ...]) -> Iterator[GroupOffer]:
    for group in groups:
        yield group
        for modifier in group.modifiers:
            yield from _walk(modifier.groups)


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


def say_duration(minutes: int) -> str:
    """“45 minutes”, “1 hour 30 minutes”."""
    hours, rest = divmod(minutes, 60)
    parts = [f"{hours} hour{'s' if hours > 1 else ''}" if hours else "", f"{rest} minutes" if rest else ""]
    return " ".join(part for part in parts if part)


def say_size(size: SizeOffer, currency: str) -> str:
    """“large for 12 euros”."""
    return f"{size.name} for {say_price(size.price, currency)}"


def say_item(item: ItemOffer, currency: str) -> tuple[str, ...]:
    """Each way in which a caller can buy the item, as the agent says it: its sizes, or the item for its price."""
    if item.sizes:
        return tuple(say_size(size, currency) for size in item.sizes)
    return (f"{item.name} for {say_price(item.price, currency)}",)


def say_absence(item: ItemOffer) -> str:
    """Why it cannot be ordered, after “The Pancakes is”: “not served now, but again tomorrow at 7 am”."""
    if item.is_served:
        return "out right now"
    return f"not served now, but again {item.back_at}" if item.back_at else "not served now"


def say_modifier(modifier: ModifierOffer, currency: str) -> str:
    """“deep dish for 2 euros more”; without a price where it adds none."""
    return f"{modifier.name} for {say_price(modifier.price, currency)} more" if modifier.price else modifier.name
