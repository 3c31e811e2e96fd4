"""A file that is none, or says what cannot be, gets sentences: row, column, what to do. Nothing is saved."""

from __future__ import annotations

import io
import zipfile

import pytest
from openpyxl import Workbook

from agents.catalog.exchange.files import Format, read_file, write_file
from agents.catalog.exchange.plan import Action
from agents.catalog.exchange.services import HasProblems, apply_table, preview
from agents.catalog.exchange.state import MenuState
from agents.catalog.exchange.table import MAX_ROWS, MIB, UnreadableFile
from agents.catalog.exchange.xlsx_file import MAX_UNPACKED_BYTES
from agents.catalog.models import Category, Item, Menu
from agents.tests.builders import add_item, item_named, make_menu, make_organization

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
HEAD = "kind,id,in,name,price,description\n"


@pytest.fixture
def menu() -> Menu:
    return make_menu(make_organization())


def problems(menu: Menu, content: bytes | str) -> list[str]:
    table = read_file(content.encode() if isinstance(content, str) else content)
    found = [str(problem) for problem in preview(menu, table).problems]
    before = list(Item.objects.order_by("pk").values_list("name", "price"))
    if found:
        with pytest.raises(HasProblems):
            apply_table(menu, table, by="alice", title="Import")
    assert list(Item.objects.order_by("pk").values_list("name", "price")) == before
    return found


def test_each_row_says_its_number_its_column_and_what_to_do(menu: Menu) -> None:
    stranger = item_named(make_menu(make_organization("Charlie's Diner")).organization, "Tiramisu")
    tiramisu = item_named(menu.organization, "Tiramisu")
    text = HEAD + f"item,{tiramisu.pk},Desserts,Tiramisu,-5,\nitem,{tiramisu.pk},Desserts,Again,5,\n"
    text += f"item,{stranger.pk},Desserts,Stolen,5,\nitem,,Sweets,Cake,5,\nitem,,Desserts,A|B,5,\n"
    text += f"item,,Desserts,{'x' * 81},1.2345,\nthing,,,X,,\nitem,,Desserts,Free,,\nitem,,Desserts,,1,\n"
    assert problems(menu, text) == [
        "Row 2, “price”: “-5” is no price. Write it like 9.50 or 9,50, without a minus.",
        "Row 3, “id”: Row 2 has the same id. Empty the cell to add a new item, or remove one.",
        f"Row 4, “id”: No item of this menu has the id {stranger.pk}. Empty the cell to add a new item; ids of other "
        "menus and of what was removed do not count.",
        "Row 5, “in”: There is no category “Sweets”. Add a row for it, or correct the name.",
        "Row 6, “name”: A name cannot contain | * ( ) : ; / or +.",
        "Row 7, “price”: “1.2345” is no price. Write it like 9.50 or 9,50, without a minus.",
        "Row 7, “name”: Ensure this value has at most 80 characters (it has 81).",
        "Row 8, “kind”: “thing” is no kind of row. Write one of these: menu, category, item, size, modifier group, "
        "modifier.",
        "Row 9, “price”: Write a price, or add rows of the kind size below the item.",
        "Row 10, “name”: This field cannot be blank.",
    ]


def test_the_file_of_another_menu_is_one_problem(menu: Menu) -> None:
    other = make_menu(make_organization("Charlie's Diner"))
    content = write_file(MenuState(other).rows(), Format.XLSX)
    (found,) = problems(menu, content)
    assert found.startswith(f"Row 2, “id”: This file is of another menu (id {other.pk}). Open that menu to import it;")


def test_files_of_every_encoding_and_separator_are_read(menu: Menu) -> None:
    text = "kind;in;name;price\r\nitem;Desserts;Crème brûlée;1.234,50\r\n"
    for content in (text.encode(), text.encode("utf-8-sig"), text.encode("utf-16"), text.encode("utf-16-le"),
                    text.encode("latin-1"), text.replace(";", "\t").encode()):  # fmt: skip
        plan = preview(menu, read_file(content))
        (added,) = plan.of(Action.ADDED)
        assert (added.label, added.differences[0].new) == ("Desserts › Crème brûlée", "1234.50"), content[:20]
        assert bool(plan.notes) == (content == text.encode("latin-1"))


def test_formulas_are_written_as_text_and_never_run(menu: Menu) -> None:
    add_item(Category.objects.get(name="Desserts"), "=2-1", "1.00", description='=HYPERLINK("http://x.example")')
    rows = MenuState(menu).rows()
    text = write_file(rows, Format.CSV).decode("utf-8-sig")
    assert "'=2-1" in text
    assert '"\'=HYPERLINK(""http://x.example"")"' in text
    for form in Format:
        assert preview(menu, read_file(write_file(rows, form))).is_empty
    with zipfile.ZipFile(io.BytesIO(write_file(rows, Format.XLSX))) as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")


def test_a_formula_without_a_result_and_a_price_that_became_a_date_are_said(menu: Menu) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["kind", "in", "name", "price"], ["item", "Desserts", "Sum", "=1+1"],
                ["item", "Desserts", "May", "2026-05-09 00:00"]):  # fmt: skip
        sheet.append(row)
    target = io.BytesIO()
    book.save(target)
    found = problems(menu, target.getvalue())
    assert found[0].startswith("Row 2, “price”: The cell has a formula without a result. Open the file in your")
    assert found[-1].startswith("Row 3, “price”: The spreadsheet made a date of this price. Format the cell")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b" " * (10 * MIB), "The file has 10.0 MB; a menu's file has at most 5 MB."),
        (b"\n \n", "The file is empty."),
        (b"name,price\nTiramisu,5\n", "The first row has no heading “kind”."),
        (b"kind,name,name\nitem,a,b\n", "The column “name” is there twice."),
        (b"kind,name\n" + b"item,a\n" * (MAX_ROWS + 1), f"The file has more than {MAX_ROWS} rows."),
        (b'kind,name\nitem,"open', "The CSV file cannot be read from line 2 on"),
        (b"PK\x03\x04 not really", "The file is no XLSX workbook"),
        (b"\xd0\xcf\x11\xe0 old", "This is an old Excel workbook"),
        (b"{" * 100_000, "The file is no JSON"),
        (b"[1]", "The file holds no menu."),
        (b'{"categories": {"a": 1}}', "“categories” is no list of objects."),
        (b"\x89PNG\r\n\0\0\0\rIHDR", "The file is no CSV text."),
    ],
)
def test_a_file_that_cannot_be_read_says_why(content: bytes, sentence: str) -> None:
    with pytest.raises(UnreadableFile) as caught:
        read_file(content)
    assert str(caught.value).startswith(sentence)


def test_a_zip_bomb_is_not_unpacked(menu: Menu) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"\0" * (MAX_UNPACKED_BYTES + 1))
    assert len(target.getvalue()) < MIB
    with pytest.raises(UnreadableFile, match="unpacks to more than 20 MB"):
        read_file(target.getvalue())
