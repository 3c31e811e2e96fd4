"""A menu goes out as a file, is changed, and comes back: only what was changed differs."""

from __future__ import annotations

import io
import json
from decimal import Decimal

import pytest
from openpyxl import load_workbook

from agents.catalog.exchange.files import Format, read_file, write_file
from agents.catalog.exchange.plan import Plan
from agents.catalog.exchange.services import HasChanged, apply_table, preview
from agents.catalog.exchange.state import MenuState
from agents.catalog.models import Category, Item, Menu, MenuChange, Modifier, ModifierGroup, Size
from agents.tests.builders import add_item, item_named, make_menu, make_organization

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]


@pytest.fixture
def menu() -> Menu:
    menu = make_menu(make_organization())
    Item.objects.filter(sizes__isnull=False).update(price=None)
    Item.objects.filter(name="Tiramisu").update(allergens=["eggs", "milk"], description='Homemade, "the classic"')
    return menu


def exported(menu: Menu, form: Format) -> bytes:
    return write_file(MenuState(menu).rows(), form)


def differences(plan: Plan) -> dict[str, dict[str, tuple[str, str]]]:
    assert plan.problems == []
    return {
        f"{change.action}: {change.label}": {each.column: (each.old, each.new) for each in change.differences}
        for change in plan.changes
    }


@pytest.mark.parametrize("form", Format)
def test_a_file_that_nobody_changed_changes_nothing(menu: Menu, form: Format) -> None:
    add_item(Category.objects.get(name="Deals"), "Tiramisu", "1.00", aliases="tira, misu")
    plan = preview(menu, read_file(exported(menu, form)), with_stock=True)
    assert (plan.problems, plan.changes, plan.reordered) == ([], [], [])
    assert len(read_file(exported(menu, form)).rows) == 1 + 3 + 6 + 6 + 4 + 8


def test_what_a_person_changes_in_xlsx_is_what_differs(menu: Menu) -> None:
    book = load_workbook(io.BytesIO(exported(menu, Format.XLSX)))
    sheet = book["Menu"]
    headings = [cell.value for cell in sheet[1]]
    rows = {(row[0].value, row[3].value): row for row in sheet.iter_rows(min_row=2)}
    rows["item", "Tiramisu"][headings.index("price")].value = 5.5
    rows["item", "Margherita"][headings.index("name")].value = "Margherita DOP"
    rows["modifier", "olives"][headings.index("allergens")].value = "sulphites, nuts"
    rows["item", "Panna cotta"][headings.index("modifier groups")].value = "Extras"
    sheet.delete_rows(rows["modifier", "vinaigrette"][0].row or 0)
    sheet.append(["item", None, "Desserts", "Affogato", "4,20"])
    target = io.BytesIO()
    book.save(target)
    table = read_file(target.getvalue())
    plan = preview(menu, table)
    assert differences(plan) == {
        "changed: Pizzas › Margherita DOP": {"name": ("Margherita", "Margherita DOP")},
        "changed: Desserts › Tiramisu": {"price": ("5.00", "5.50")},
        "changed: Desserts › Panna cotta": {"modifier groups": ("", "Extras")},
        "changed: Extras › olives": {"allergens": ("", "nuts; sulphites")},
        "added: Desserts › Affogato": {"price": ("", "4.20")},
        "missing: Dressing › vinaigrette": {},
    }
    assert item_named(menu.organization, "Tiramisu").price == Decimal("5.00")  # nothing is saved yet
    apply_table(menu, table, by="alice", title="Import of menu.xlsx", digest=plan.digest, remove=True)
    after = preview(menu, read_file(exported(menu, Format.XLSX)))
    assert after.is_empty
    assert item_named(menu.organization, "Tiramisu").price == Decimal("5.50")
    assert Size.objects.filter(item__name="Margherita DOP").count() == 3
    assert not Modifier.objects.filter(name="vinaigrette").exists()
    assert [group.name for group in item_named(menu.organization, "Panna cotta").modifier_groups.all()] == ["Extras"]
    change = MenuChange.objects.get()
    kept = {(entry["name"], entry["column"], entry["old"], entry["new"]) for entry in change.entries}
    assert ("Desserts › Tiramisu", "price", "5.00", "5.50") in kept


def test_a_change_between_preview_and_confirmation_is_refused_and_said(menu: Menu) -> None:
    table = read_file(exported(menu, Format.CSV).replace(b"4.50", b"4.60"))
    plan = preview(menu, table)
    Item.objects.filter(name="Panna cotta").update(description="New")
    with pytest.raises(HasChanged, match="was changed after this preview"):
        apply_table(menu, table, by="bob", title="Import", digest=plan.digest)
    assert item_named(menu.organization, "Panna cotta").price == Decimal("4.50")


def test_an_order_meanwhile_is_no_change_of_the_menu_and_stock_is_left_alone(menu: Menu) -> None:
    Item.objects.filter(name="Panna cotta").update(count_left=10)
    content = exported(menu, Format.CSV).replace(b"4.50", b"4.60")
    plan = preview(menu, read_file(content))
    Item.objects.filter(name="Panna cotta").update(count_left=7)
    applied = apply_table(menu, read_file(content), by="bob", title="Import", digest=plan.digest)
    assert (applied.ignored_stock, item_named(menu.organization, "Panna cotta").count_left) == (1, 7)
    apply_table(menu, read_file(content), by="bob", title="Import", with_stock=True)
    assert item_named(menu.organization, "Panna cotta").count_left == 10


def test_a_file_with_half_the_columns_leaves_the_others_as_they_are(menu: Menu) -> None:
    plan = preview(menu, read_file("Kind;Name;Price\nitem;Tiramisu;€ 6,00\nitem;Cake;4.50\nsize;large;5\n".encode()))
    # One of the menu's names is where it is; a new one, or one of several, has to say where it belongs.
    assert [str(problem) for problem in plan.problems] == [
        "Row 3, “in”: Write the name of the category to which this item belongs.",
    ]
    large = Size.objects.get(item__name="Funghi", name="large")
    plan = preview(menu, read_file(f"kind,id,price\nitem,{large.item_id},\nsize,{large.pk},14\n".encode()))
    assert differences(plan)["changed: Pizzas › Funghi › large"] == {"price": ("13.00", "14.00")}
    table = read_file("Kind;In;Name;Price\nitem;Desserts;tiramisu;€ 6,00\n".encode())
    assert differences(preview(menu, table))["changed: Desserts › tiramisu"]["price"] == ("5.00", "6.00")


def test_rows_that_belong_to_nothing_named_belong_to_the_one_above_them(menu: Menu) -> None:
    text = "kind,name,price,default,minimum,modifier groups\ncategory,Soups,,,,\nmodifier group,Bread,,,1,\n"
    text += "modifier,white,,yes,,\nmodifier,dark,0.5,,,\nitem,Minestrone,,,,Bread\nsize,cup,3,,,\nsize,bowl,5,yes,,\n"
    apply_table(menu, read_file(text.encode()), by="alice", title="Import")
    soup = item_named(menu.organization, "Minestrone")
    assert (soup.category.name, [size.name for size in soup.sizes.all()]) == ("Soups", ["cup", "bowl"])
    bread = ModifierGroup.objects.get(name="Bread")
    assert (bread.minimum, [str(each.price) for each in bread.modifiers.all()]) == (1, ["0.00", "0.50"])
    assert list(soup.modifier_groups.all()) == [bread]
    assert Item.objects.count() == 6  # what the file does not have stays


def test_another_order_of_rows_is_the_order_of_the_menu(menu: Menu) -> None:
    document = json.loads(exported(menu, Format.JSON))
    document["categories"].reverse()
    table = read_file(json.dumps(document).encode())
    assert preview(menu, table).changes == []
    apply_table(menu, table, by="alice", title="Import")
    assert [category.name for category in menu.categories.all()] == ["Desserts", "Deals", "Pizzas"]
