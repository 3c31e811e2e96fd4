"""The live menu as one value, and its lines in the prompt."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from agents.catalog.menu_lines import item_line, keywords, people_block, speakable
from agents.catalog.models import Category, Item, Menu, Modifier, ModifierGroup, Size
from agents.catalog.offers import Counted, GroupOffer, ItemOffer, ModifierOffer
from agents.catalog.queries import load_catalog
from agents.organizations.models import Organization
from agents.tests.builders import add_item, add_modifier, item_named, make_menu, make_organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization() -> Organization:
    organization = make_organization()
    make_menu(organization)
    return organization


def offer(organization: Organization, name: str, **options: object) -> ItemOffer:
    catalog = load_catalog(organization.pk, timezone.now(), **options)  # type: ignore[arg-type]
    return next(item for item in catalog.items if item.name == name)


def test_a_menu_of_any_size_is_read_in_eight_queries(
    organization: Organization, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    category = Category.objects.get(name="Pizzas")
    for number in range(30):
        item = add_item(category, f"Pizza {number}", "9.00")
        Size.objects.create(item=item, name="one", price=Decimal(9))
        ModifierGroup.objects.get(name="Crust").items.add(item)
    with django_assert_num_queries(8):
        catalog = load_catalog(organization.pk, timezone.now())
    assert len(catalog.items) == 35


def test_only_active_menus_of_the_organization_are_sold(organization: Organization) -> None:
    stranger = make_organization("Charlie's Diner")
    make_menu(stranger)
    old = Menu.objects.create(organization=organization, name="Old", is_active=False)
    add_item(Category.objects.create(menu=old, name="Old"), "Stale bread", "1.00")
    names = [item.name for item in load_catalog(organization.pk, timezone.now()).items]
    assert names == ["Margherita", "Funghi", "Meal deal", "Tiramisu", "Panna cotta"]
    assert load_catalog(organization.pk, timezone.now()).item(item_named(stranger, "Margherita").pk) is None


def test_availability_reflects_the_current_time(organization: Organization) -> None:
    now = timezone.now()
    Item.objects.filter(name="Tiramisu").update(is_out=True, out_until=now + dt.timedelta(hours=1))
    assert not load_catalog(organization.pk, now).items[3].is_available
    assert load_catalog(organization.pk, now + dt.timedelta(hours=1)).items[3].is_available
    Item.objects.filter(name="Tiramisu").update(is_out=False, out_until=None, count_left=0)
    assert not offer(organization, "Tiramisu").is_available


def test_what_the_own_order_holds_counts_as_left(organization: Organization) -> None:
    tiramisu = item_named(organization, "Tiramisu")
    Item.objects.filter(pk=tiramisu.pk).update(count_left=0)
    held = offer(organization, "Tiramisu", held={Counted("item", tiramisu.pk): 2})
    assert (held.is_available, held.count_left) == (True, 2)
    tiramisu.refresh_from_db()
    assert tiramisu.count_left == 0


def test_an_item_is_out_when_all_its_sizes_are(organization: Organization) -> None:
    Size.objects.filter(item__name="Funghi").exclude(name="large").update(is_out=True)
    assert offer(organization, "Funghi").is_available
    Size.objects.filter(item__name="Funghi").update(is_out=True)
    assert not offer(organization, "Funghi").is_available


def test_groups_that_lie_in_a_circle_end(organization: Organization) -> None:
    side, dressing = ModifierGroup.objects.get(name="Side"), ModifierGroup.objects.get(name="Dressing")
    side.under.add(Modifier.objects.get(name="ranch"))
    deal = offer(organization, "Meal deal")
    assert [group.name for group in deal.all_groups()] == ["Side", "Dressing"]
    deeper = ModifierGroup.objects.create(menu=side.menu, name="Temperature")
    deeper.under.add(Modifier.objects.get(name="ranch"))
    deepest = ModifierGroup.objects.create(menu=side.menu, name="Too deep")
    deepest.under.add(add_modifier(deeper, "cold"))
    assert [group.name for group in offer(organization, "Meal deal").all_groups()] == [
        "Side",
        "Dressing",
        "Temperature",
    ]
    assert dressing.under.count() == 1


def test_a_group_under_a_group_under_a_group_names_its_parent() -> None:
    line = item_line(
        ItemOffer(
            1,
            "Deal",
            Decimal(9),
            groups=(_group("Side", _group("Dressing", _group("Oil"))),),
        )
    )
    assert line == (
        "ITEM Deal | price: 9.00 | group Side (choose 1 to 2): with Side"
        " | group Dressing of Side/with Side (choose 1 to 2): with Dressing"
        " | group Oil of Dressing/with Dressing (choose 1 to 2): with Oil"
    )


def _group(name: str, *below: GroupOffer) -> GroupOffer:
    modifier = ModifierOffer(1, f"with {name}", Decimal(0), groups=below)
    return GroupOffer(1, name, 1, 2, (modifier,))


def test_separator_characters_are_removed_from_names() -> None:
    assert speakable("Half | half\n*new* (2:1); a/b+c, d") == "Half half new 2 1 a b c d"
    nasty = ItemOffer(1, "Pizza | out\nTARGET x: y", Decimal(1), spoken_forms=("a, b",))
    assert item_line(nasty) == "ITEM Pizza out TARGET x y | said: a b | price: 1.00"
    assert people_block([("desk", "The\ndesk", "late |\norders"), ("boss", "Boss", "")]) == (
        "## People\nTARGET desk: The desk, for late | orders\nTARGET boss: Boss"
    )


def test_keywords_are_every_name_once(organization: Organization) -> None:
    words = keywords(load_catalog(organization.pk, timezone.now()))
    assert len(words) == len(set(words))
    assert {"Margherita", "margarita", "plain pizza", "small", "deep dish", "double cheese", "vinaigrette"} <= set(
        words
    )
