"""An item is sold at one price, or in its sizes: the forms, the menu's page, the lines and the draft agree on it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from agents.catalog.admin.menu_preview import preview_of
from agents.catalog.menu_lines import menu_block
from agents.catalog.models import Item, Size
from agents.catalog.queries import load_catalog
from agents.catalog.services import settle_price
from sessions.orders.draft import apply_changes
from sessions.orders.draft.lines import Refused

from .world import World


@pytest.fixture
def espresso(harbour: World) -> Item:
    Item.objects.all().delete()
    return Item.objects.create(category=harbour.rows[Size].item.category, name="Espresso", price=Decimal(9))


def form_of(item: Item, price: str, *sizes: tuple[str, str], default: int | None = None) -> dict[str, Any]:
    known = list(item.sizes.all())
    form: dict[str, Any] = {
        "category": item.category_id, "name": item.name, "price": price, "aliases": "", "most_per_order": 50,
        "sizes-TOTAL_FORMS": len(sizes), "sizes-INITIAL_FORMS": len(known),
    }  # fmt: skip
    for index, (name, size_price) in enumerate(sizes):
        form |= {f"sizes-{index}-name": name, f"sizes-{index}-price": size_price, f"sizes-{index}-position": index,
                 f"sizes-{index}-item": item.pk}  # fmt: skip
        if index < len(known):
            form[f"sizes-{index}-id"] = known[index].pk
    if default is not None:
        form[f"sizes-{default}-is_default"] = "on"
    return form


def save(client: Client, item: Item, form: dict[str, Any]) -> str:
    page = client.post(reverse("admin:agents_item_change", args=(item.pk,)), form, follow=True)
    assert page.redirect_chain, page.context["errors"]
    item.refresh_from_db()
    return page.content.decode()


def sizes_of(item: Item) -> list[tuple[str, Decimal, bool]]:
    return [(size.name, size.price, size.is_default) for size in item.sizes.all()]


def ordered(item: Item, size: str | None = None) -> tuple[str, Decimal]:
    """Size and price of a line for a caller who says the item, and a size or none."""
    catalog = load_catalog(item.category.menu.organization_id, timezone.now())
    change = {"do": "add", "item": item.name} | ({"size": size} if size else {})
    [line] = apply_changes((), [change], catalog)
    return line.size, line.price


def test_a_base_price_beside_a_dearer_size_stays_on_sale_under_a_name(client_of_alice: Client, espresso: Item) -> None:
    page = save(client_of_alice, espresso, form_of(espresso, "9.00", ("double", "15.00")))
    assert "9.00 became the price of the size “standard”" in page
    assert espresso.price is None
    assert sizes_of(espresso) == [("standard", Decimal(9), True), ("double", Decimal(15), False)]
    assert ordered(espresso) == ("standard", Decimal(9))
    assert ordered(espresso, "double") == ("double", Decimal(15))


def test_a_base_price_that_a_size_has_needs_no_other_size(client_of_alice: Client, espresso: Item) -> None:
    save(client_of_alice, espresso, form_of(espresso, "9.00", ("single", "9.00"), ("double", "15.00")))
    assert (espresso.price, [name for name, *_ in sizes_of(espresso)]) == (None, ["single", "double"])
    with pytest.raises(Refused, match="Which size of the Espresso: single or double"):
        ordered(espresso)


def test_a_base_price_that_is_typed_beside_a_default_size_is_not_lost(client_of_alice: Client, espresso: Item) -> None:
    save(client_of_alice, espresso, form_of(espresso, "8.00", ("double", "15.00"), default=0))
    assert sizes_of(espresso) == [("standard", Decimal(8), False), ("double", Decimal(15), True)]


def test_a_name_that_is_taken_is_not_taken_twice(client_of_alice: Client, espresso: Item) -> None:
    save(client_of_alice, espresso, form_of(espresso, "9.00", ("standard", "15.00")))
    assert sizes_of(espresso)[0] == ("regular", Decimal(9), True)


def test_an_item_needs_a_price_or_a_size(client_of_alice: Client, espresso: Item) -> None:
    page = client_of_alice.post(reverse("admin:agents_item_change", args=(espresso.pk,)), form_of(espresso, ""))
    assert "Enter a price for the item, or at least one size with its price." in page.content.decode()
    save(client_of_alice, espresso, form_of(espresso, "", ("double", "15.00")))
    assert ordered(espresso) == ("double", Decimal(15))
    gone = form_of(espresso, "", ("double", "15.00")) | {"sizes-0-DELETE": "on"}
    page = client_of_alice.post(reverse("admin:agents_item_change", args=(espresso.pk,)), gone)
    assert "Enter a price for the item, or at least one size with its price." in page.content.decode()


def test_the_table_of_a_category_keeps_to_the_same_rule(client_of_alice: Client, espresso: Item) -> None:
    Size.objects.create(item=espresso, name="double", price=Decimal(15))
    Item.objects.filter(pk=espresso.pk).update(price=None)
    address = reverse("admin:agents_category_change", args=(espresso.category_id,))
    form = {
        "menu": espresso.category.menu_id, "name": "Coffee", "items-TOTAL_FORMS": 2, "items-INITIAL_FORMS": 1,
        "items-0-id": espresso.pk, "items-0-category": espresso.category_id, "items-0-name": "Espresso",
        "items-0-price": "9.00", "items-0-position": 0,
        "items-1-name": "Tea", "items-1-price": "", "items-1-category": espresso.category_id, "items-1-position": 1,
    }  # fmt: skip
    assert "Enter a price." in client_of_alice.post(address, form).content.decode()
    assert client_of_alice.post(address, form | {"items-1-price": "3"}).status_code == 302
    assert sizes_of(espresso) == [("standard", Decimal(9), True), ("double", Decimal(15), False)]


def test_the_agent_asks_for_an_only_size_at_another_price(harbour: World, espresso: Item) -> None:
    """Rows may be written past the forms."""
    Size.objects.create(item=espresso, name="double", price=Decimal(15))
    with pytest.raises(Refused, match="The Espresso comes as double only"):
        ordered(espresso)
    block = menu_block(load_catalog(harbour.organization.pk, timezone.now()))
    assert "ITEM Espresso | sizes: double 15.00" in block
    assert "9.00" not in block


def test_an_item_without_any_price_is_not_offered(harbour: World, espresso: Item, client_of_alice: Client) -> None:
    Item.objects.filter(pk=espresso.pk).update(price=None)
    assert load_catalog(harbour.organization.pk, timezone.now()).items == ()
    page = client_of_alice.get(reverse("admin:agents_menu_change", args=(espresso.category.menu_id,))).content.decode()
    assert "has neither a price nor sizes" in page


def test_the_menus_page_shows_what_callers_can_buy_as_the_agent_says_it(
    harbour: World, espresso: Item, client_of_alice: Client
) -> None:
    Size.objects.create(item=espresso, name="single", price=Decimal("2.20"), is_default=True)
    Size.objects.create(item=espresso, name="double", price=Decimal("3.05"), position=1)
    Item.objects.filter(pk=espresso.pk).update(price=None)
    Item.objects.create(category=espresso.category, name="Tea", price=Decimal(1), position=2)
    organization = harbour.organization
    organization.tax_percent, organization.prices_include_tax = Decimal(7), True
    organization.save()
    page = client_of_alice.get(reverse("admin:agents_menu_change", args=(espresso.category.menu_id,))).content.decode()
    for words in ("single for 2 euros 20, double for 3 euros and 5 cents", "Default size: single.",
                  "1 euro", "Prices include 7 % tax."):  # fmt: skip
        assert words in page, words
    preview = preview_of(espresso.category.menu)
    names = [item.name for items in preview.headings.values() for item in items]
    sold = [item.name for item in load_catalog(organization.pk, timezone.now()).items]
    assert names == sold == ["Espresso", "Tea"]


@pytest.mark.parametrize(
    ("percent", "included", "words"),
    [(7, True, "(prices in EUR, tax included)"), (7, False, "(prices in EUR)"), (0, True, "(prices in EUR)")],
)
def test_the_agents_menu_says_that_tax_is_included(harbour: World, percent: int, included: bool, words: str) -> None:
    organization = harbour.organization
    organization.tax_percent, organization.prices_include_tax = Decimal(percent), included
    organization.save()
    assert menu_block(load_catalog(organization.pk, timezone.now())).splitlines()[0] == f"## Menu {words}"


@pytest.mark.parametrize(
    ("price", "sizes", "becomes"),
    [
        ("9.00", [("double", "15.00", False)], [("standard", "9.00", True), ("double", "15.00", False)]),
        ("0.00", [("double", "15.00", False)], [("double", "15.00", False)]),
        ("9.00", [("medium", "9.00", False)], [("medium", "9.00", False)]),
        ("9.00", [("large", "12.00", True)], [("large", "12.00", True)]),
        ("9.00", [("standard", "12.00", False)], [("regular", "9.00", True), ("standard", "12.00", False)]),
    ],
)
def test_a_stored_base_price_gets_a_place_among_the_sizes(
    espresso: Item, price: str, sizes: list[tuple[str, str, bool]], becomes: list[tuple[str, str, bool]]
) -> None:
    Item.objects.filter(pk=espresso.pk).update(price=Decimal(price))
    for name, size_price, is_default in sizes:
        Size.objects.create(item=espresso, name=name, price=Decimal(size_price), is_default=is_default)
    espresso.refresh_from_db()
    settle_price(espresso, was_typed=False)
    espresso.refresh_from_db()
    assert espresso.price is None
    assert [(name, f"{each:.2f}", is_default) for name, each, is_default in sizes_of(espresso)] == becomes
