"""The product writes the menu for a model as the simulator of OpenAI reads it."""

from __future__ import annotations

import datetime as dt

import pytest

from agents.catalog.models import Item, Modifier
from agents.transfers.models import TransferTarget
from sessions.tests.builders import make_restaurant
from sessions.tools.briefing import brief
from voiceapp.simulators.model.agent.menu import Choice, Group, MenuItem, read_menu

pytestmark = pytest.mark.django_db


def test_the_local_openai_reads_the_menu_that_was_written() -> None:
    organization, call = make_restaurant()
    Modifier.objects.filter(name="thin crust").update(aliases="normal crust, thin")
    Modifier.objects.filter(name="vinaigrette").update(name="dressing no 7")
    Item.objects.filter(name="Tiramisu").update(is_out=True, out_until=dt.datetime(2100, 1, 1, tzinfo=dt.UTC))
    TransferTarget.objects.create(
        organization=organization, slug="front-desk", name="Front desk", number="+4930123456", when_to_use="complaints"
    )
    menu = read_menu(brief(call).instructions)
    assert menu.currency == "EUR"
    assert menu.categories == ("Pizzas", "Deals", "Desserts")
    assert menu.targets == (("front-desk", "Front desk, for complaints"),)
    assert [(item.name, item.is_out) for item in menu.items] == [
        ("Margherita", False),
        ("Funghi", False),
        ("Meal deal", False),
        ("Tiramisu", True),
        ("Panna cotta", False),
    ]
    assert menu.items[0] == MenuItem(
        name="Margherita",
        category="Pizzas",
        aliases=("margarita", "plain pizza"),
        price="9.50",
        sizes=(
            Choice("small", price="7.50"),
            Choice("medium", price="9.50", is_default=True),
            Choice("large", price="12.00"),
        ),
        groups=(
            Group(
                "Crust",
                1,
                1,
                (
                    Choice("thin crust", aliases=("normal crust", "thin"), is_default=True),
                    Choice("deep dish", price="+2.00"),
                ),
            ),
            Group(
                "Extras",
                0,
                3,
                (
                    Choice("extra cheese", aliases=("more cheese", "double cheese"), price="+1.50"),
                    Choice("olives", price="+1.00"),
                ),
            ),
        ),
    )
    assert menu.items[2].groups[1] == Group(
        "Dressing",
        1,
        1,
        (Choice("ranch", is_default=True), Choice("dressing no 7", price="+0.00")),
        under="side salad",
    )
