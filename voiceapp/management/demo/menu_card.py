"""What the demo restaurant sells, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class DemoChoice:
    """A size or a modifier. A size has its own price, a modifier adds its price."""

    name: str
    price: str = "0"
    is_default: bool = False
    aliases: str = ""


@dataclass(frozen=True, slots=True)
class DemoGroup:
    """`under` names modifiers of other groups: the group applies only when one of them is chosen."""

    name: str
    minimum: int
    maximum: int
    choices: tuple[DemoChoice, ...]
    under: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DemoItem:
    """An item with sizes has no price of its own."""

    name: str
    price: str | None
    description: str = ""
    spoken_name: str = ""
    aliases: str = ""
    sizes: tuple[DemoChoice, ...] = ()
    groups: tuple[str, ...] = ()
    is_out: bool = False
    count_left: int | None = None


def pizza_sizes(medium: str) -> tuple[DemoChoice, ...]:
    """Small costs two less than medium, large two and a half more."""
    price = Decimal(medium)
    return (
        DemoChoice("small", str(price - 2)),
        DemoChoice("medium", medium, is_default=True, aliases="regular, normal"),
        DemoChoice("large", str(price + Decimal("2.50")), aliases="big"),
    )


DRINK_SIZES = (DemoChoice("small", "2.80", is_default=True), DemoChoice("large", "3.90", aliases="big"))

GROUPS = (
    DemoGroup(
        "Crust",
        1,
        1,
        (
            DemoChoice("thin crust", is_default=True),
            DemoChoice("deep dish", "2.00", aliases="thick crust"),
            DemoChoice("gluten free", "2.50"),
        ),
    ),
    DemoGroup(
        "Extras",
        0,
        3,
        (
            DemoChoice("extra cheese", "1.50", aliases="more cheese"),
            DemoChoice("olives", "1.00"),
            DemoChoice("mushrooms", "1.20"),
            DemoChoice("jalapenos", "1.00", aliases="hot peppers"),
            DemoChoice("fresh basil", "0.80"),
        ),
    ),
    DemoGroup("Without", 0, 2, (DemoChoice("no onions"), DemoChoice("no garlic"), DemoChoice("no tomatoes"))),
    DemoGroup("Pasta", 1, 1, (DemoChoice("spaghetti", is_default=True), DemoChoice("penne"))),
    DemoGroup("Parmesan", 0, 1, (DemoChoice("extra parmesan", "1.00"),)),
    DemoGroup("Dips", 0, 2, (DemoChoice("garlic dip", "0.90"), DemoChoice("chili dip", "0.90"))),
    DemoGroup(
        "Side",
        1,
        1,
        (
            DemoChoice("fries", is_default=True, aliases="french fries, chips"),
            DemoChoice("side salad", "1.00"),
            DemoChoice("soup of the day", "1.50"),
        ),
    ),
    DemoGroup(
        "Dressing",
        1,
        1,
        (
            DemoChoice("ranch", is_default=True, aliases="ranch dressing"),
            DemoChoice("vinaigrette"),
            DemoChoice("caesar dressing"),
        ),
        under=("side salad",),
    ),
    DemoGroup(
        "Flavours",
        1,
        3,
        (
            DemoChoice("vanilla"),
            DemoChoice("chocolate"),
            DemoChoice("strawberry"),
            DemoChoice("pistachio", "0.50"),
        ),
    ),
    DemoGroup("Bubbles", 1, 1, (DemoChoice("still", is_default=True), DemoChoice("sparkling"))),
)

ON_A_PIZZA = ("Crust", "Extras", "Without")
ON_PASTA = ("Pasta", "Parmesan")

# What the agent says when it is asked; everything else on the card has none stated, which it says, too.
ALLERGENS: dict[str, tuple[str, ...]] = {
    "Margherita": ("gluten", "milk"),
    "Pepperoni": ("gluten", "milk"),
    "Funghi": ("gluten", "milk"),
    "Quattro Formaggi": ("gluten", "milk"),
    "Carbonara": ("gluten", "eggs", "milk"),
    "Tiramisu": ("gluten", "eggs", "milk"),
    "Espresso": ("none",),
    "extra cheese": ("milk",),
    "extra parmesan": ("milk",),
    "pistachio": ("nuts",),
}

CATEGORIES: tuple[tuple[str, tuple[DemoItem, ...]], ...] = (
    (
        "Pizzas",
        (
            DemoItem("Margherita", None, "Tomato, mozzarella, basil", "", "margarita, plain pizza, cheese pizza",
                     pizza_sizes("9.50"), ON_A_PIZZA),
            DemoItem("Pepperoni", None, "Tomato, mozzarella, pepperoni", "", "pepperoni pizza, salami pizza",
                     pizza_sizes("11.00"), ON_A_PIZZA),
            DemoItem("Funghi", None, "Tomato, mozzarella, mushrooms", "", "mushroom pizza",
                     pizza_sizes("10.50"), ON_A_PIZZA),
            DemoItem("Hawaiian", None, "Ham and pineapple", "", "hawaii, pineapple pizza",
                     pizza_sizes("11.00"), ON_A_PIZZA),
            DemoItem("Quattro Formaggi", None, "Four cheeses", "", "four cheese, four cheese pizza",
                     pizza_sizes("12.00"), ON_A_PIZZA),
            DemoItem("Vegetarian", None, "Peppers, onions, olives", "", "veggie, veggie pizza",
                     pizza_sizes("11.50"), ON_A_PIZZA),
            DemoItem("Calzone", "12.00", "Folded, with ham and ricotta", "", "folded pizza",
                     (), ("Extras", "Without"), is_out=True),
        ),
    ),
    (
        "Pasta",
        (
            DemoItem("Bolognese", "10.90", "Beef and tomato", "", "spaghetti bolognese", (), ON_PASTA),
            DemoItem("Arrabbiata", "9.90", "Tomato and chili", "", "spicy pasta", (), ON_PASTA),
            DemoItem("Carbonara", "11.20", "Egg, bacon, pecorino", "", "", (), ON_PASTA),
            DemoItem("Lasagne", "11.90", "From the oven", "", "lasagna", (), ("Parmesan",), count_left=6),
        ),
    ),
    (
        "Starters and deals",
        (
            DemoItem("Garlic Bread", "4.50", "", "", "", (), ("Dips",)),
            DemoItem("Bruschetta", "5.50", "Tomato and basil on toast"),
            DemoItem("Mixed Salad", "6.90", "", "", "green salad", (), ("Dressing",)),
            DemoItem("Meal Deal", "14.00", "Main of the day with a side", "", "combo", (), ("Side",)),
        ),
    ),
    (
        "Desserts",
        (
            DemoItem("Tiramisu", "5.00", "Homemade"),
            DemoItem("Panna Cotta", "4.80", "With raspberries"),
            DemoItem("Gelato", "4.20", "One to three scoops", "", "ice cream", (), ("Flavours",)),
        ),
    ),
    (
        "Drinks",
        (
            DemoItem("Cola", None, "", "", "coke, coca cola", DRINK_SIZES),
            DemoItem("Lemonade", None, "", "", "", DRINK_SIZES),
            DemoItem("Mineral Water", "2.50", "", "", "water", (), ("Bubbles",)),
            DemoItem("Espresso", "2.20"),
        ),
    ),
)  # fmt: skip
