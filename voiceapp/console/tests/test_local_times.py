"""Times are those of the record's organization, whatever else is there; dates are read as people write them."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from agents.catalog.models import Item
from agents.hours.models import OpeningHours, SpecialDay
from agents.organizations.models import Organization
from recordings.models import Recording
from sessions.calls.models import Call, CallEvent, ToolCall
from sessions.messages.models import OutboxMessage
from sessions.orders.models import Order
from telephony.events.models import ProviderEvent

from .world import World

AT = dt.datetime(2026, 11, 28, 17, 30, tzinfo=dt.UTC)
BERLIN, TOKYO = "Sat 28 Nov 2026, 18:30", "Sun 29 Nov 2026, 02:30"
# By model, the column that its list or page shows.
SHOWN: dict[type[Model], str] = {
    Call: "created_at", Order: "created_at", OutboxMessage: "created_at", ToolCall: "at", CallEvent: "at",
    ProviderEvent: "created_at", Recording: "created_at",
}  # fmt: skip


@pytest.fixture(autouse=True)
def places(harbour: World, meadow: World) -> None:
    for world, zone in ((harbour, "Europe/Berlin"), (meadow, "Asia/Tokyo")):
        world.organization.time_zone = zone
        world.organization.save()
        for model, column in SHOWN.items():
            if model in world.rows:
                model._default_manager.filter(pk=world[model].pk).update(**{column: AT})


@pytest.fixture
def root() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


def page(client: Client, model: type[Model], name: str, *args: object) -> str:
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)
    response = client.get(url)
    assert response.status_code == 200, (url, response.status_code)
    return response.content.decode()


def test_one_organizations_people_read_its_times(client_of_alice: Client, harbour: World) -> None:
    for model in (Call, Order):
        assert BERLIN in page(client_of_alice, model, "changelist")
        assert BERLIN in page(client_of_alice, model, "change", harbour[model].pk)
    ticket = client_of_alice.get(reverse("admin:voice_sessions_order_ticket", args=(harbour[Order].pk,)))
    assert BERLIN in ticket.content.decode()


def test_a_second_organization_changes_nothing_on_the_page_of_a_record(
    root: Client, harbour: World, meadow: World
) -> None:
    for model in (Call, Order):
        assert BERLIN in page(root, model, "change", harbour[model].pk)
        assert TOKYO in page(root, model, "change", meadow[model].pk)
    for world, shown in ((harbour, BERLIN), (meadow, TOKYO)):
        ticket = root.get(reverse("admin:voice_sessions_order_ticket", args=(world[Order].pk,))).content.decode()
        assert shown in ticket
        assert "UTC" not in ticket


@pytest.mark.parametrize("model", SHOWN, ids=lambda model: model.__name__)
def test_a_list_of_several_organizations_shows_each_row_in_its_zone_and_names_it(
    model: type[Model], root: Client, harbour: World, meadow: World
) -> None:
    if model not in harbour.rows or (model._meta.app_label, model._meta.model_name) == ("voice_sessions", "callevent"):
        return  # shown on the page of its call
    text = page(root, model, "changelist")
    assert f"{BERLIN} CET" in text
    assert f"{TOKYO} JST" in text


@time_machine.travel(AT, tick=False)
def test_today_is_each_organizations_own(root: Client, harbour: World, meadow: World) -> None:
    """At 18:30 in Berlin it is Sunday in Tokyo: a call of Saturday morning is of today there, not here."""
    saturday_morning = dt.datetime(2026, 11, 28, 9, tzinfo=dt.UTC)
    Call.objects.update(created_at=saturday_morning, state="completed")
    text = root.get("/admin/").content.decode()
    assert "Saturday 28 November: 2 answered" in text
    tile = text[text.index('aria-label="Today') :]
    assert "<strong>1</strong>" in tile[: tile.index("</a>")]
    assert "Times are shown in each organization's time zone." in text


def test_tomorrows_opening_is_said_in_the_organizations_time(root: Client, harbour: World) -> None:
    OpeningHours.objects.all().delete()
    for weekday in range(7):
        OpeningHours.objects.create(
            organization=harbour.organization, weekday=weekday, opens_at=dt.time(11), closes_at=dt.time(22)
        )
    item = harbour[Item]
    with time_machine.travel(AT, tick=False):
        pressed = root.post(reverse("admin:agents_item_press", args=(item.pk, "sold-out-today")), follow=True)
        assert "sold out until Sun 29 Nov 2026, 11:00 (the next opening)" in pressed.content.decode()
        listing = page(root, Item, "changelist")
    assert "Sold out until Sun 29 Nov 2026, 11:00" in listing


def test_without_opening_hours_it_is_said_what_that_means(root: Client, harbour: World) -> None:
    OpeningHours.objects.all().delete()
    item = harbour[Item]
    with time_machine.travel(AT, tick=False):
        pressed = root.post(reverse("admin:agents_item_press", args=(item.pk, "sold-out-today")), follow=True)
    words = "out until Sun 29 Nov 2026, 00:00 (no opening hours are set: open around the clock)"
    assert words in pressed.content.decode()
    text = page(root, Organization, "change", harbour.organization.pk)
    assert "empty: open around the clock" in text
    assert "without times: closed all day" in text


def test_a_typed_time_is_read_in_the_records_zone(root: Client, harbour: World) -> None:
    form = {"out_until_0": "28.11.2026", "out_until_1": "21:15"}
    item = save_item(root, harbour, form)
    assert item.out_until == dt.datetime(2026, 11, 28, 20, 15, tzinfo=dt.UTC)
    text = page(root, Item, "change", item.pk)
    assert 'value="2026-11-28"' in text
    assert 'value="21:15:00"' in text
    assert "In Europe/Berlin." in text or "A time in Europe/Berlin." in text


def save_item(client: Client, world: World, fields: dict[str, str]) -> Item:
    item = world[Item]
    form = {"category": item.category_id, "name": item.name, "price": "5", "most_per_order": 1, "count_left": "",
            "initial-count_left": "", "sizes-TOTAL_FORMS": 0, "sizes-INITIAL_FORMS": 0, **fields}  # fmt: skip
    response = client.post(reverse("admin:agents_item_change", args=(item.pk,)), form)
    text = response.content.decode()
    assert response.status_code == 302, text[text.find("errornote") :][:2000]
    found: Item = Item.objects.get(pk=item.pk)
    return found


@pytest.mark.parametrize(
    ("country", "typed", "date"),
    [
        ("DE", "24.12.2026", "2026-12-24"), ("DE", "3.4.2026", "2026-04-03"), ("DE", "24.12.26", "2026-12-24"),
        ("GB", "03/04/2026", "2026-04-03"), ("FR", "24/12/2026", "2026-12-24"), ("NL", "24-12-2026", "2026-12-24"),
        ("US", "12/24/2026", "2026-12-24"), ("US", "03/04/2026", "2026-03-04"), ("US", "Dec 24, 2026", "2026-12-24"),
        ("JP", "2026/12/24", "2026-12-24"), ("DE", "2026-12-24", "2026-12-24"), ("DE", "24 Dec 2026", "2026-12-24"),
        ("GB", "24 December 2026", "2026-12-24"),
    ],
)  # fmt: skip
def test_a_date_is_read_as_people_of_the_country_write_it(
    country: str, typed: str, date: str, client_of_alice: Client, harbour: World
) -> None:
    Organization.objects.filter(pk=harbour.organization.pk).update(country=country)
    assert "302" in save_special_day(client_of_alice, harbour, date=typed)
    assert SpecialDay.objects.filter(organization=harbour.organization, date=date).exists()


@pytest.mark.parametrize(("country", "example"), [("DE", "24.12.2026"), ("US", "12/24/2026")])
@pytest.mark.parametrize("typed", ["tomorrow", "31.02.2026", "24.13.2026", "1"])
def test_a_refused_date_shows_how_to_write_one(
    country: str, example: str, typed: str, client_of_alice: Client, harbour: World
) -> None:
    Organization.objects.filter(pk=harbour.organization.pk).update(country=country)
    text = save_special_day(client_of_alice, harbour, date=typed)
    assert f"Write the date like 2026-12-24 or {example}." in text
    assert f'value="{typed}"' in text


@pytest.mark.parametrize(
    ("typed", "time"),
    [("17:30", (17, 30)), ("5:30 pm", (17, 30)), ("5 pm", (17, 0)), ("5pm", (17, 0)), ("17.30", (17, 30)),
     ("17h30", (17, 30))],
)  # fmt: skip
def test_a_time_is_read_as_people_write_it(
    typed: str, time: tuple[int, int], client_of_alice: Client, harbour: World
) -> None:
    assert "302" in save_special_day(client_of_alice, harbour, date="2026-12-24", opens_at=typed, closes_at="23:00")
    assert SpecialDay.objects.get(date="2026-12-24").opens_at == dt.time(*time)


def save_special_day(client: Client, world: World, **day: str) -> str:
    organization = Organization.objects.get(pk=world.organization.pk)
    SpecialDay.objects.filter(organization=organization).delete()
    OpeningHours.objects.filter(organization=organization).delete()
    fields = (
        "name",
        "slug",
        "time_zone",
        "country",
        "currency",
        "tax_percent",
        "largest_order_total",
        "max_live_calls",
    )
    form = {name: str(getattr(organization, name)) for name in fields} | {
        "opening_hours-TOTAL_FORMS": "0", "opening_hours-INITIAL_FORMS": "0",
        "special_days-TOTAL_FORMS": "1", "special_days-INITIAL_FORMS": "0",
    }  # fmt: skip
    form |= {f"special_days-0-{name}": value for name, value in day.items()}
    response = client.post(reverse("admin:agents_organization_change", args=(organization.pk,)), form)
    return f"{response.status_code} {response.content.decode()}"
