"""Out now, for two hours, until tomorrow, back, so many left."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from agents.catalog.admin.stock import next_day_opening, stock_status
from agents.catalog.models import Item, Modifier, Size
from agents.hours.models import OpeningHours

from .world import World

# A Friday evening in Berlin; Harbour keeps UTC.
NOW = dt.datetime(2026, 11, 20, 18, 30, tzinfo=dt.UTC)


def run_action(client: Client, action: str, *items: Item) -> str:
    chosen = {"action": action, "_selected_action": [item.pk for item in items], "index": "0"}
    return client.post("/admin/agents/item/", chosen, follow=True).content.decode()


@time_machine.travel(NOW, tick=False)
def test_the_actions_say_how_many_they_changed(client_of_alice: Client, harbour: World) -> None:
    item = harbour[Item]
    assert "1 item is sold out." in run_action(client_of_alice, "sold_out", item)
    item.refresh_from_db()
    assert stock_status(item, NOW) == ("out", "Sold out")
    assert "1 item is sold out for 2 hours." in run_action(client_of_alice, "sold_out_for_hours", item)
    item.refresh_from_db()
    assert stock_status(item, NOW) == ("out", "Sold out until 20:30")
    assert item.is_available_at(NOW + dt.timedelta(hours=2))
    assert "1 item is available again." in run_action(client_of_alice, "available", item)
    item.refresh_from_db()
    assert stock_status(item, NOW) == ("available", "Available")


@time_machine.travel(NOW, tick=False)
def test_until_tomorrow_means_the_next_days_opening(client_of_alice: Client, harbour: World) -> None:
    OpeningHours.objects.filter(organization=harbour.organization).delete()
    for weekday in (4, 6):
        OpeningHours.objects.create(
            organization=harbour.organization, weekday=weekday, opens_at=dt.time(11), closes_at=dt.time(22)
        )
    run_action(client_of_alice, "sold_out_until_tomorrow", harbour[Item])
    # Saturday is closed.
    assert Item.objects.get().out_until == dt.datetime(2026, 11, 22, 11, tzinfo=dt.UTC)


def test_round_the_clock_tomorrow_begins_at_midnight_there(harbour: World) -> None:
    OpeningHours.objects.all().delete()
    harbour.organization.time_zone = "Europe/Berlin"
    assert next_day_opening(harbour.organization, NOW) == dt.datetime(2026, 11, 20, 23, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("left", "words"), [(0, ("out", "None left")), (3, ("low", "3 left")), (40, ("available", "40 left"))]
)
def test_the_column_says_how_many_are_left(left: int, words: tuple[str, str]) -> None:
    assert stock_status(Item(name="x", count_left=left), NOW) == words


def test_one_tap_in_the_list_takes_an_item_out_and_stays_there(client_of_alice: Client, harbour: World) -> None:
    item = harbour[Item]
    address = reverse("admin:agents_item_press", args=(item.pk, "sold-out"))
    assert f'formaction="{address}?to=list"' in client_of_alice.get("/admin/agents/item/").content.decode()
    assert client_of_alice.get(address).status_code == 405
    response = client_of_alice.post(f"{address}?to=list")
    assert response.headers["Location"] == "/admin/agents/item/"
    assert Item.objects.get(pk=item.pk).is_out
    history = client_of_alice.get(reverse("admin:agents_item_history", args=(item.pk,))).content.decode()
    assert "is sold out until somebody marks it as available" in history


def test_a_count_sold_while_the_list_was_open_is_not_put_back(client_of_alice: Client, harbour: World) -> None:
    item = harbour[Item]
    Item.objects.filter(pk=item.pk).update(count_left=6)
    other = Item.objects.create(category=item.category, name="Other", price=1, count_left=9)
    # The page showed 6 and 9; an order takes one of the first before it is saved with 8 for the second.
    Item.objects.filter(pk=item.pk).update(count_left=5)
    form: dict[str, object] = {"form-TOTAL_FORMS": 2, "form-INITIAL_FORMS": 2, "_save": "Save"}
    for index, (row, shown, typed) in enumerate([(item, 6, 6), (other, 9, 8)]):
        form |= {
            f"form-{index}-id": row.pk,
            f"form-{index}-count_left": typed,
            f"initial-form-{index}-count_left": shown,
        }
    assert client_of_alice.post("/admin/agents/item/", form).status_code == 302
    assert [Item.objects.get(pk=row.pk).count_left for row in (item, other)] == [5, 8]


def test_renaming_an_item_does_not_undo_what_a_call_sold(client_of_alice: Client, harbour: World) -> None:
    item = harbour[Item]
    Item.objects.filter(pk=item.pk).update(count_left=5)
    form = {
        "category": item.category_id, "name": "Renamed", "price": "5.00", "aliases": item.aliases, "most_per_order": 50,
        "count_left": "6", "initial-count_left": "6", "out_until_0": "", "out_until_1": "",
        "sizes-TOTAL_FORMS": 0, "sizes-INITIAL_FORMS": 0,
    }  # fmt: skip
    page = client_of_alice.post(reverse("admin:agents_item_change", args=(item.pk,)), form)
    assert page.status_code == 302
    item.refresh_from_db()
    assert (item.name, item.count_left) == ("Renamed", 5)


def test_the_default_size_moves_in_one_save(client_of_alice: Client, harbour: World) -> None:
    item, first = harbour[Item], harbour[Size]
    second = Size.objects.create(item=item, name="Second", price=7)
    form: dict[str, object] = {
        "category": item.category_id, "name": item.name, "price": "5.00", "aliases": item.aliases, "most_per_order": 50,
        "count_left": "", "initial-count_left": "", "out_until_0": "", "out_until_1": "",
        "sizes-TOTAL_FORMS": 2, "sizes-INITIAL_FORMS": 2,
    }  # fmt: skip
    for index, size in enumerate((first, second)):
        form |= {f"sizes-{index}-id": size.pk, f"sizes-{index}-item": item.pk, f"sizes-{index}-name": size.name,
                 f"sizes-{index}-price": "6.00", f"sizes-{index}-position": index}  # fmt: skip
    address = reverse("admin:agents_item_change", args=(item.pk,))
    assert client_of_alice.post(address, form | {"sizes-1-is_default": "on"}).status_code == 302
    assert list(Size.objects.order_by("pk").values_list("is_default", flat=True)) == [False, True]
    both = form | {"sizes-0-is_default": "on", "sizes-1-is_default": "on"}
    page = client_of_alice.post(address, both)
    assert (page.status_code, b"Only one of them can be the default" in page.content) == (200, True)


def test_a_modifier_goes_out_like_an_item(client_of_alice: Client, harbour: World) -> None:
    client_of_alice.post(reverse("admin:agents_modifier_press", args=(harbour[Modifier].pk, "sold-out")))
    assert Modifier.objects.get(pk=harbour[Modifier].pk).is_out
