"""A menu as plain values, for tests without a database. Ids are fixed, so that expectations can be written by hand."""

from __future__ import annotations

from decimal import Decimal

from agents.catalog.offers import Catalog, GroupOffer, ItemOffer, ModifierOffer, SizeOffer

THIN = ModifierOffer(11, "thin crust", Decimal("0.00"), is_default=True)
DEEP = ModifierOffer(12, "deep dish", Decimal("2.00"))
CRUST = GroupOffer(1, "Crust", 1, 1, (THIN, DEEP))
CHEESE = ModifierOffer(21, "extra cheese", Decimal("1.50"), spoken_forms=("more cheese",))
OLIVES = ModifierOffer(22, "olives", Decimal("1.00"))
EXTRAS = GroupOffer(2, "Extras", 0, 3, (CHEESE, OLIVES))
RANCH = ModifierOffer(41, "ranch", Decimal("0.00"), is_default=True)
VINAIGRETTE = ModifierOffer(42, "vinaigrette", Decimal("0.50"))
DRESSING = GroupOffer(4, "Dressing", 1, 1, (RANCH, VINAIGRETTE))
FRIES = ModifierOffer(31, "fries", Decimal("0.00"), is_default=True)
SALAD = ModifierOffer(32, "side salad", Decimal("1.00"), groups=(DRESSING,))
SIDE = GroupOffer(3, "Side", 1, 1, (FRIES, SALAD))
LETTUCE = ModifierOffer(51, "lettuce", Decimal("0.00"), is_default=True)
TOMATO = ModifierOffer(52, "tomato", Decimal("0.00"), is_default=True)
BACON = ModifierOffer(53, "bacon", Decimal("2.00"))
TOPPINGS = GroupOffer(5, "Toppings", 0, 3, (LETTUCE, TOMATO, BACON))
RICE = ModifierOffer(61, "rice", Decimal("0.00"), is_default=True)
BEANS = ModifierOffer(62, "beans", Decimal("0.00"), is_default=True)
CORN = ModifierOffer(63, "corn", Decimal("0.00"))
TWO_SIDES = GroupOffer(6, "Sides", 2, 2, (RICE, BEANS, CORN))

SIZES = (
    SizeOffer(101, "small", Decimal("7.50")),
    SizeOffer(102, "medium", Decimal("9.50"), is_default=True),
    SizeOffer(103, "large", Decimal("12.00"), spoken_forms=("big",)),
)
MARGHERITA = ItemOffer(
    1,
    "Margherita",
    Decimal("9.50"),
    spoken_forms=("plain pizza",),
    category="Pizzas",
    sizes=SIZES,
    groups=(CRUST, EXTRAS),
)
FUNGHI = ItemOffer(2, "Funghi", Decimal("10.50"), category="Pizzas", groups=(CRUST,))
DEAL = ItemOffer(3, "Meal deal", Decimal("14.00"), category="Deals", groups=(SIDE,))
BURGER = ItemOffer(4, "Burger", Decimal("8.00"), category="Grill", groups=(TOPPINGS,), most_per_order=5)
PLATE = ItemOffer(5, "Chicken plate", Decimal("11.00"), category="Grill", groups=(TWO_SIDES,))
CUP_OR_BOWL = (SizeOffer(104, "cup", Decimal("4.00")), SizeOffer(105, "bowl", Decimal("6.00")))
SOUP = ItemOffer(6, "Chicken soup", Decimal("6.00"), category="Starters", sizes=CUP_OR_BOWL)
TIRAMISU = ItemOffer(7, "Tiramisù", Decimal("5.00"), category="Desserts", count_left=3)
PANNA = ItemOffer(8, "Panna cotta", Decimal("4.50"), category="Desserts", is_available=False)
ITEMS = (MARGHERITA, FUNGHI, DEAL, BURGER, PLATE, SOUP, TIRAMISU, PANNA)
MENU = Catalog("EUR", ITEMS)


def menu_with(*items: ItemOffer) -> Catalog:
    """The menu, with these in the place of those of the same id."""
    others = {item.id: item for item in items}
    return Catalog("EUR", tuple(others.get(item.id, item) for item in ITEMS))


def menu_without(*items: ItemOffer) -> Catalog:
    gone = {item.id for item in items}
    return Catalog("EUR", tuple(item for item in ITEMS if item.id not in gone))
