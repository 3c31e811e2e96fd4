"""What is sold at some times of day only, and what the agent knows of allergens."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from django.db.models import RestrictedError
from pytest_django import DjangoAssertNumQueries

from agents.catalog.lint import Rule, Severity
from agents.catalog.lint.services import lint_menu
from agents.catalog.menu_lines import menu_block
from agents.catalog.models import Category, Daypart, DaypartSpan, Item, Menu, Modifier
from agents.catalog.offers import ItemOffer
from agents.catalog.queries import load_catalog
from agents.hours.models import OpeningHours
from agents.organizations.models import Organization
from agents.tests.builders import make_menu, make_organization
from sessions.orders.draft.lines import Refused
from sessions.orders.draft.offers import find_item

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
BERLIN = ZoneInfo("Europe/Berlin")
MONDAY_8 = dt.datetime(2030, 6, 3, 8, tzinfo=BERLIN)


@pytest.fixture
def menu() -> Menu:
    return make_menu(make_organization())


def daypart(organization: Organization, name: str, *spans: tuple[str, int, int]) -> Daypart:
    made = Daypart.objects.create(organization=organization, name=name)
    for days, begins, ends in spans:
        DaypartSpan.objects.create(daypart=made, days=days, begins_at=dt.time(begins), ends_at=dt.time(ends))
    return made


def offer(menu: Menu, name: str, now: dt.datetime) -> ItemOffer:
    return next(item for item in load_catalog(menu.organization_id, now).items if item.name == name)


def test_outside_its_time_an_item_is_refused_and_the_caller_hears_when_again(menu: Menu) -> None:
    breakfast = daypart(menu.organization, "Breakfast", ("workdays", 7, 11), ("weekend", 9, 13))
    Category.objects.filter(name="Desserts").update(daypart=breakfast)
    assert offer(menu, "Tiramisu", MONDAY_8).is_available
    noon = MONDAY_8.replace(hour=12)
    late = offer(menu, "Tiramisu", noon)
    assert (late.is_available, late.back_at) == (False, "tomorrow at 7 am")
    assert offer(menu, "Margherita", noon).is_available
    with pytest.raises(Refused, match="The Tiramisu is not served now, but again tomorrow at 7 am"):
        find_item("tiramisu", load_catalog(menu.organization_id, noon))
    line = "ITEM Tiramisu | price: 5.00 | served: Monday to Friday 7 am to 11 am, Saturday and Sunday 9 am to 1 pm"
    assert f"{line}\n" in menu_block(load_catalog(menu.organization_id, MONDAY_8))
    assert f"{line} | out | again: tomorrow at 7 am\n" in menu_block(load_catalog(menu.organization_id, noon))


def test_the_time_of_an_item_holds_before_that_of_its_category_and_menu(menu: Menu) -> None:
    lunch, dinner = (daypart(menu.organization, name, ("daily", begins, ends)) for name, begins, ends in
                     (("Lunch", 11, 15), ("Dinner", 17, 2)))  # fmt: skip
    Menu.objects.update(daypart=lunch)
    Item.objects.filter(name="Tiramisu").update(daypart=dinner)
    one_at_night = MONDAY_8.replace(hour=1)
    assert [name for name in ("Margherita", "Tiramisu") if offer(menu, name, one_at_night).is_available] == ["Tiramisu"]
    with pytest.raises(RestrictedError):
        dinner.delete()
    menu.organization.delete()
    assert not Daypart.objects.exists()


def test_times_cost_one_query_and_nothing_without_them(
    menu: Menu, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    Item.objects.update(daypart=daypart(menu.organization, "Always", ("daily", 0, 0)))
    with django_assert_num_queries(9):
        assert all(item.is_available for item in load_catalog(menu.organization_id, MONDAY_8).items)


def test_an_item_that_is_served_while_nobody_answers_is_a_problem(menu: Menu) -> None:
    OpeningHours.objects.create(organization=menu.organization, weekday=0, opens_at=dt.time(17), closes_at=dt.time(22))
    Item.objects.filter(name="Tiramisu").update(daypart=daypart(menu.organization, "Breakfast", ("daily", 7, 11)))
    Item.objects.filter(name="Panna cotta").update(daypart=daypart(menu.organization, "Dinner", ("daily", 18, 20)))
    found = [each for each in lint_menu(menu, MONDAY_8) if each.rule is Rule.NEVER_SOLD]
    assert [(each.severity, each.text) for each in found] == [(
        Severity.PROBLEM,
        "Tiramisu is sold daily 7 am to 11 am, when the agent takes no calls: nobody can order it.",
    )]  # fmt: skip


def test_allergens_are_in_the_lines_of_items_and_of_choices(menu: Menu) -> None:
    Item.objects.filter(name="Tiramisu").update(allergens=["eggs", "milk"])
    Item.objects.filter(name="Panna cotta").update(allergens=["none"])
    Modifier.objects.filter(name="extra cheese").update(allergens=["milk"])
    block = menu_block(load_catalog(menu.organization_id, MONDAY_8))
    assert "ITEM Tiramisu | price: 5.00 | allergens: eggs, milk\n" in block
    assert "ITEM Panna cotta | price: 4.50 | allergens: none\n" in block
    assert block.endswith("\nCHOICE Extras/extra cheese | allergens: milk")
    assert "ITEM Meal deal | price: 14.00 | group Side" in block
    assert "allergens" not in block.partition("Meal deal")[2].partition("\n")[0]


def test_a_nested_required_group_that_cannot_be_met_is_a_problem_up_to_the_item(menu: Menu) -> None:
    Modifier.objects.filter(group__name="Dressing").update(is_out=True)
    Modifier.objects.filter(name="fries").update(count_left=0)
    found = {each.text.partition(":")[0] for each in lint_menu(menu, MONDAY_8) if each.rule is Rule.GROUP_CANNOT_BE_MET}
    assert found == {
        "Side requires 1, but the groups that follow its modifiers cannot be met",
        "Dressing requires 1, but all of its modifiers are sold out",
    }
