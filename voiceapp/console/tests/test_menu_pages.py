"""The pages that change a menu as a whole: import, prices, findings. Each role, stale pages, repeated clicks."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from agents.catalog.models import Category, Item, Menu, MenuChange, Modifier, Size
from agents.tests.builders import add_item, item_named, make_menu, make_organization, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
HEAD = "kind,in,name,price\n"


@pytest.fixture
def menu() -> Menu:
    menu = make_menu(make_organization())
    Item.objects.filter(sizes__isnull=False).update(price=None)
    return menu


def signed_in(menu: Menu, role: str) -> Client:
    client = Client()
    client.force_login(make_user(f"{role}-bob", menu.organization, role))  # type: ignore[arg-type]
    return client


def upload(client: Client, menu: Menu, text: str | bytes) -> str:
    file = SimpleUploadedFile("new <b>.csv", text.encode() if isinstance(text, str) else text)
    return client.post(reverse("admin:agents_menu_import", args=(menu.pk,)), {"file": file}).content.decode()


def held(page: str) -> str:
    found = re.search(r'name="held" value="([^"]+)"', page)
    assert found, page
    return found[1]


def confirm(client: Client, menu: Menu, text: str, **more: str) -> str:
    url = reverse("admin:agents_menu_import", args=(menu.pk,))
    return client.post(url, {"held": text, **more}, follow=True).content.decode()


def test_an_import_is_previewed_confirmed_and_written_to_the_history(menu: Menu) -> None:
    client = signed_in(menu, "manager")
    page = upload(client, menu, HEAD + "item,Desserts,Tiramisu,5.50\nitem,Desserts,<b>Cake</b> one,4\n")
    assert "A name cannot contain | * ( ) : ; / or +." in page
    page = upload(client, menu, HEAD + "item,Desserts,Tiramisu,5.50\nitem,Desserts,<b>Cake,4\n")
    assert "<b>Cake" not in page
    assert "new &lt;b&gt;.csv: what would change" in page
    assert item_named(menu.organization, "Tiramisu").price == Decimal(5)
    done = confirm(client, menu, held(page))
    assert "1 row added, 1 changed, 2 not in the file and kept." in done
    assert item_named(menu.organization, "Tiramisu").price == Decimal("5.50")
    assert "1 row added" in LogEntry.objects.latest("pk").change_message
    # The same button pressed again.
    again = confirm(client, menu, held(page))
    assert "was changed after this preview was made" in again
    assert Item.objects.filter(name="<b>Cake").count() == 1


def test_a_menu_that_was_changed_meanwhile_shows_its_new_differences(menu: Menu) -> None:
    client = signed_in(menu, "owner")
    page = upload(client, menu, HEAD + "item,Desserts,Tiramisu,5.50\n")
    Item.objects.filter(name="Tiramisu").update(price=Decimal(6))
    stale = confirm(client, menu, held(page), remove="yes")
    assert "was changed after this preview was made. Nothing was saved" in stale
    assert '<del class="va-gone">6.00</del> → <ins class="va-new">5.50</ins>' in stale
    confirm(client, menu, held(stale))
    assert item_named(menu.organization, "Tiramisu").price == Decimal("5.50")
    forged = confirm(client, menu, held(page)[:-2] + "xx")
    assert "This preview is too old, or of another menu. Upload the file again." in forged


def test_a_file_that_is_too_large_gets_a_sentence(menu: Menu) -> None:
    assert "The file has 6.0 MB; a menu’s" in upload(signed_in(menu, "owner"), menu, b"a" * 6 * 2**20).replace(
        "&#x27;", "’"
    )


@pytest.mark.parametrize(
    ("role", "export", "change"), [("viewer", 200, 403), ("kitchen", 404, 404), ("staff", 200, 403)]
)
def test_roles_that_only_read_a_menu_export_it_and_change_nothing(
    menu: Menu, role: str, export: int, change: int
) -> None:
    client, stranger = signed_in(menu, role), make_menu(make_organization("Charlie's Diner"))
    for form in ("xlsx", "csv", "json"):
        assert client.get(reverse("admin:agents_menu_export", args=(menu.pk, form))).status_code == export
        assert client.get(reverse("admin:agents_menu_export", args=(stranger.pk, form))).status_code == 404
    for name in ("import", "prices", "mend"):
        assert client.post(reverse(f"admin:agents_menu_{name}", args=(menu.pk,))).status_code == change
        assert client.post(reverse(f"admin:agents_menu_{name}", args=(stranger.pk,))).status_code == 404


def prices(client: Client, menu: Menu, **values: object) -> str:
    url = reverse("admin:agents_menu_prices", args=(menu.pk,))
    posted = {"by": "5", "unit": "percent", "ending": "cent", "size": "", **values}
    return client.post(url, posted, follow=True).content.decode()


def larges() -> list[str]:
    return [str(size.price) for size in Size.objects.filter(name="large").order_by("price")]


def test_prices_are_previewed_changed_and_put_back_where_nobody_changed_them_since(menu: Menu) -> None:
    client, pizzas = signed_in(menu, "owner"), Category.objects.get(name="Pizzas")
    rule = {"by": "10", "ending": "90", "categories": [pizzas.pk], "size": "large"}
    page = prices(client, menu, **rule)
    assert "2 prices would change" in page
    found = re.search(r'name="digest" value="(\w+)"', page)
    assert found
    assert larges() == ["12.00", "13.00"]
    assert "not the prices of the preview" in prices(client, menu, **(rule | {"by": "20"}), digest=found[1])
    prices(client, menu, **rule, digest=found[1])
    assert larges() == ["12.90", "13.90"]
    assert "not the prices of the preview" in prices(client, menu, **rule, digest=found[1])
    Size.objects.filter(price="13.90").update(price="14.00")
    change = MenuChange.objects.get()
    undo = reverse("admin:agents_menu_undo", args=(menu.pk, change.pk))
    assert (
        "1 price put back. Changed since, and left: Pizzas › Funghi › large."
        in client.post(undo, follow=True).content.decode()
    )
    assert larges() == ["12.00", "14.00"]
    assert "put back already" in client.post(undo, follow=True).content.decode()


@pytest.mark.parametrize(
    ("by", "unit", "sentence"),
    [("", "percent", "Enter a number, like 5"), ("x", "amount", "Enter a number, like 5"),
     ("0", "amount", "another number than 0"), ("-100", "percent", "above -100"), ("1e9", "amount", "10000")],
)  # fmt: skip
def test_a_rule_for_prices_that_makes_no_sense_is_refused(menu: Menu, by: str, unit: str, sentence: str) -> None:
    assert sentence in prices(signed_in(menu, "owner"), menu, by=by, unit=unit)


def test_findings_stand_on_the_menus_page_with_buttons_that_mend_them(menu: Menu) -> None:
    client = signed_in(menu, "owner")
    add_item(Category.objects.get(name="Desserts"), "Panna cota", "4.00", aliases="Tiramisu, cotta")
    Modifier.objects.filter(group__name="Crust").update(is_out=True)
    url = reverse("admin:agents_menu_change", args=(menu.pk,))
    page = client.get(url).content.decode()
    for sentence in (
        "Crust requires 1, but all of its modifiers are sold out: nothing that it belongs to can be ordered.",
        "“Panna cota” and “Panna cotta” sound alike",
        "“Tiramisu”, an alias of Panna cota, is also the name of another item",
        "ITEM Panna cota | said: Tiramisu, cotta | price: 4.00",
    ):
        assert sentence in page
    mend = reverse("admin:agents_menu_mend", args=(menu.pk,))
    keys = re.findall(r'name="fix" value="([^"]+)"', page)
    assert len(keys) == 2
    for key in keys:
        client.post(mend, {"fix": key})
    assert item_named(menu.organization, "Panna cota").aliases == "cotta"
    assert menu.modifier_groups.get(name="Crust").minimum == 0
    gone = client.post(mend, {"fix": keys[0]}, follow=True).content.decode()
    assert "this finding is gone. Nothing was done." in gone
