"""A menu goes out as XLSX, is changed, and comes back with its differences."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.sync_api import expect

from agents.catalog.models import Item, Menu
from voiceapp.management.demo.organization import Demo

from .conftest import CHROMIUM, Desk

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here")]


def is_in_order(desk: Desk) -> None:
    page = desk.page
    assert desk.complaints == []
    assert desk.faults_of_access() == []
    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("window.innerWidth")


def test_a_menu_goes_out_is_changed_and_comes_back_with_its_differences(desk: Desk, demo: Demo, tmp_path: Path) -> None:
    menu = Menu.objects.get(organization=demo.organization)
    page = desk.open(f"/admin/agents/menu/{menu.pk}/change/")
    is_in_order(desk)
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Export XLSX").click()
    file = tmp_path / "menu.xlsx"
    downloading.value.save_as(file)
    book = load_workbook(file)
    sheet = book["Menu"]
    price = [cell.value for cell in sheet[1]].index("price")
    row = next(row for row in sheet.iter_rows(min_row=2) if row[3].value == "Tiramisu")
    row[price].value = 5.5
    sheet.append(["item", None, "Desserts", "Affogato", 4.2])
    book.save(file)
    page.get_by_role("link", name="Import", exact=True).click()
    page.locator("#id_file").set_input_files(file)
    page.get_by_role("button", name="Show the differences").click()
    changed = page.get_by_role("row").filter(has_text="Tiramisu")
    expect(changed).to_contain_text("5.00 → 5.50")
    expect(page.get_by_role("row").filter(has_text="Affogato")).to_contain_text("Price: 4.20")
    is_in_order(desk)
    assert not Item.objects.filter(name="Affogato").exists()
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_text("menu.xlsx: 1 row added, 1 changed.")).to_be_visible()
    expect(page.get_by_role("heading", name="Changes of many rows")).to_be_visible()
    assert Item.objects.filter(name="Affogato", price="4.20").exists()
    is_in_order(desk)
