"""Orders as files for a point of sale, and the page on which its ids are entered."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from agents.catalog.exchange.columns import Kind
from agents.catalog.models import Item, Menu, Modifier, Size
from agents.catalog.pos_ids import Typed, key_of, save_pos_ids
from agents.organizations.roles import Role
from agents.tests.builders import make_user
from sessions.exports.models import Export
from sessions.messages.models import OutboxMessage
from sessions.orders.models import Order
from sessions.tests.builders import Phone, make_restaurant

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.embedded,
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous iterators"),
]


@pytest.fixture
def order() -> Order:
    """A large Margherita with extra cheese, and a Tiramisu, whose menu was mapped before."""
    _, call = make_restaurant()
    Item.objects.filter(name="Margherita").update(pos_id="MARG")
    Size.objects.filter(item__name="Margherita", name="large").update(pos_id="=1204")
    Modifier.objects.filter(name="extra cheese").update(pos_id="77")
    phone = Phone(call.pk)
    phone.add("Margherita", size="large", modifiers=["extra cheese"])
    phone.add("Tiramisu", note="no cocoa")
    assert phone.agrees()["ok"]
    return Order.objects.get()


def client_of(order: Order, role: Role) -> Client:
    client = Client()
    user = make_user(f"{role}-person", order.organization, role)
    User.objects.filter(pk=user.pk).update(is_staff=True)
    client.force_login(user)
    return client


def exported(client: Client, form: str, query: str = "") -> str:
    url = reverse("admin:voice_sessions_order_export")
    response: Any = client.post(url, {"format": form, "query": query})
    assert response.status_code == 200, response.content
    return b"".join(response).decode()


def test_a_csv_has_a_line_for_each_line_with_ids_and_without_formulas(order: Order) -> None:
    rows = list(csv.DictReader(io.StringIO(exported(client_of(order, Role.OWNER), "csv").removeprefix("\ufeff"))))
    assert [(row["item"], row["posId"], row["orderId"]) for row in rows] == [
        ("Margherita", "'=1204", str(order.pk)),
        ("Tiramisu", "", str(order.pk)),
    ]
    assert "77" in rows[0]["modifierPosIds"]
    assert "extra cheese" in rows[0]["modifiers"]
    assert (rows[1]["lineNote"], rows[1]["total"]) == ("no cocoa", f"{order.total:.2f}")
    assert rows[0]["customerNumber"] == f"'{order.customer_number}"


def test_json_and_webhooks_have_the_same_shape(order: Order) -> None:
    (row,) = json.loads(exported(client_of(order, Role.OWNER), "json"))
    payload = OutboxMessage.objects.filter(about=f"order:{order.pk}").latest("pk").body
    assert row["lines"] == payload["data"]["lines"]
    assert [line["posId"] for line in row["lines"]] == ["=1204", ""]
    cheese = next(each for each in row["lines"][0]["modifiers"] if each["name"] == "extra cheese")
    assert cheese["posId"] == "77"
    # A corrected ID holds for orders that were placed before.
    Size.objects.filter(pos_id="=1204").update(pos_id="1204")
    (row,) = json.loads(exported(client_of(order, Role.MANAGER), "json"))
    assert row["lines"][0]["posId"] == "1204"


def test_the_list_filters_the_file_and_roles_mask_numbers(order: Order) -> None:
    viewer = client_of(order, Role.VIEWER)
    assert json.loads(exported(viewer, "json", "state__exact=done")) == []
    (row,) = json.loads(exported(viewer, "json", "state__exact=submitted&p=7"))
    assert row["customerNumber"] == f"…{order.customer_number[-2:]}"
    refused = viewer.post(reverse("admin:voice_sessions_order_export"), {"format": "csv", "query": "call__owner=x"})
    assert refused.status_code == 302
    (stranger, _) = make_restaurant("Elsewhere")
    charlie = client_of(Order(organization=stranger), Role.STAFF)
    assert json.loads(exported(charlie, "json")) == []


def test_the_command_masks_numbers(order: Order, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("export_orders", organization=order.organization.slug, format="json")
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["id"], row["customerNumber"]) == (str(order.pk), f"…{order.customer_number[-2:]}")


def test_exports_are_logged_without_what_was_typed_of_a_customer(order: Order) -> None:
    alice, viewer = client_of(order, Role.OWNER), client_of(order, Role.VIEWER)
    exported(alice, "csv", "q=Margherita&state__exact=submitted&p=2")
    exported(viewer, "json")
    call_command("export_orders", organization=order.organization.slug, since=order.created_at.date())
    logged = [
        (each.kind, each.principal, each.way, each.filters, each.rows, each.has_numbers)
        for each in Export.objects.filter(organization=order.organization).order_by("pk")
    ]
    assert logged == [
        ("orders", "owner-person", "list", "q=…&state__exact=submitted", 1, True),
        ("orders", "viewer-person", "list", "", 1, False),
        ("orders", "manage.py", "command", f"since={order.created_at.date()}", 1, False),
    ]
    page = alice.get(reverse("admin:voice_sessions_export_changelist")).content.decode()
    assert "viewer-person" in page
    assert "Orders" in page
    url = reverse("admin:voice_sessions_order_export")
    assert alice.post(url, {"format": "csv", "query": "q=" + "x" * 1100}).status_code == 302
    assert Export.objects.count() == 3


def test_pos_ids_are_entered_on_one_page(order: Order) -> None:
    menu, alice = Menu.objects.get(), client_of(order, Role.OWNER)
    url = reverse("admin:agents_menu_pos_ids", args=(menu.pk,))
    tiramisu = Item.objects.get(name="Tiramisu")
    key = key_of(Kind.ITEM, tiramisu.pk)
    assert f'name="{key}"' in alice.get(url).content.decode()
    alice.post(url, {key: " T-1 ", f"was-{key}": "", "item-999999": "x", "was-item-999999": ""})
    tiramisu.refresh_from_db()
    assert tiramisu.pos_id == "T-1"
    page = alice.post(url, {key: "x" * 80, f"was-{key}": "T-1"}).content.decode()
    assert "at most 64 characters" in page
    assert client_of(order, Role.STAFF).get(url).status_code == 403


def test_what_a_colleague_has_changed_meanwhile_is_left(order: Order) -> None:
    menu, tiramisu = Menu.objects.get(), Item.objects.get(name="Tiramisu")
    Item.objects.filter(pk=tiramisu.pk).update(pos_id="theirs")
    outcome = save_pos_ids(menu, {key_of(Kind.ITEM, tiramisu.pk): Typed(was="", now="mine")})
    assert (len(outcome.overtaken), Item.objects.get(pk=tiramisu.pk).pos_id) == (1, "theirs")
