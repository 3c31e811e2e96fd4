"""The guided setup of a line: each step keeps what was typed, and no user sets up another organization's line."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client

from agents.catalog.models import Item
from agents.configuration.models import Agent
from agents.organizations.models import Organization
from agents.organizations.roles import Role
from agents.organizations.trades import ORDER_TOOLS
from agents.transfers.models import TransferTarget
from sessions.calls.models import Call, CallState
from telephony.twilio.models import PhoneNumber

from .world import World


@pytest.fixture
def root(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


def begin(client: Client, trade: str = "garage") -> Organization:
    form = {"name": "Blitz Garage", "trade": trade, "country": "DE", "tax_percent": "19", "prices_include_tax": "on"}
    assert client.post("/admin/setup/", form).status_code == 302
    return Organization.objects.get(name="Blitz Garage")


def at(organization: Organization, step: str) -> str:
    return f"/admin/setup/{organization.pk}/{step}/"


def test_a_garage_is_set_up_without_orders(root: Client) -> None:
    garage = begin(root)
    assert (garage.slug, garage.currency, garage.time_zone) == ("blitz-garage", "EUR", "Europe/Berlin")
    assert not garage.takes_orders
    hours = {"days": ["0", "1"], "opens_at": "08:00", "closes_at": "17:30"}
    assert root.post(at(garage, "hours"), hours).headers["Location"] == at(garage, "menu")
    root.post(at(garage, "menu"), {"heading": "Services", "items": "Oil change 89,90\nTire change: 40"})
    root.post(at(garage, "person"), {"name": "Workshop", "number": "030 5550199", "when_to_use": "appointments"})
    root.post(at(garage, "number"), {"number": "030 5550198"})
    page = root.get(at(garage, "agent")).context["form"]
    assert page["greeting"].value().startswith("Hallo, hier ist Blitz Garage.")
    agent_form = {name: page[name].value() for name in page.fields}
    assert root.post(at(garage, "agent"), agent_form).headers["Location"] == at(garage, "publish")
    agent = Agent.objects.get(organization=garage)
    assert (agent.is_default, set(agent.tools) & ORDER_TOOLS) == (True, set())
    assert [str(row) for row in garage.opening_hours.all()] == ["Monday 08:00–17:30", "Tuesday 08:00–17:30"]
    prices = dict(Item.objects.filter(category__menu__organization=garage).values_list("name", "price"))
    assert prices == {"Oil change": Decimal("89.90"), "Tire change": Decimal(40)}
    target = TransferTarget.objects.get()
    assert (target.slug, target.number, target.is_fallback) == ("workshop", "+49305550199", True)
    assert root.post(at(garage, "publish")).headers["Location"] == at(garage, "call")
    agent.refresh_from_db()
    assert agent.published_version is not None
    assert PhoneNumber.objects.get().number == "+49305550198"


def test_a_restaurant_without_a_menu_is_published_only_on_purpose(root: Client) -> None:
    organization = begin(root, "restaurant")
    form = root.get(at(organization, "agent")).context["form"]
    root.post(at(organization, "agent"), {name: form[name].value() for name in form.fields})
    page = root.post(at(organization, "publish")).content.decode()
    assert "The agent is not published. No active menu has an item with a price" in page
    assert Agent.objects.get().published_version is None
    assert root.post(at(organization, "publish"), {"anyway": "on"}).status_code == 302
    assert Agent.objects.get().published_version is not None


@pytest.mark.parametrize(
    "items", ["Margherita", "9.50", "Margherita nine", "Half|half 3.00", "Margherita 9.50\nFunghi"]
)
def test_a_line_without_a_name_or_a_price_is_shown_again(root: Client, items: str) -> None:
    organization = begin(root)
    page = root.post(at(organization, "menu"), {"heading": "Menu", "items": items})
    assert page.status_code == 200
    assert items.splitlines()[-1] in page.context["form"].errors["items"][0]
    assert not Item.objects.exists()


def test_going_back_changes_what_is_there_and_adds_nothing_twice(root: Client) -> None:
    organization = begin(root)
    for price in ("5", "6"):
        root.post(at(organization, "menu"), {"heading": "Menu", "items": f"Wash {price}"})
    assert Item.objects.get().price == 6
    root.post(at(organization, "hours"), {"is_always_open": "on"})
    assert not organization.opening_hours.exists()
    form = {"name": "Blitz", "trade": "garage", "country": "AT", "tax_percent": "20", "currency": "", "time_zone": ""}
    root.post(at(organization, "business"), form)
    organization.refresh_from_db()
    assert (organization.name, organization.time_zone) == ("Blitz", "Europe/Vienna")


@pytest.mark.parametrize(
    ("role", "may"), [(Role.OWNER, True), (Role.MANAGER, True), (Role.STAFF, False), (Role.VIEWER, False)]
)
def test_those_who_run_the_place_set_up_their_own_line(harbour: World, meadow: World, role: Role, may: bool) -> None:
    client = Client()
    client.force_login(harbour.member(role, "bob"))
    for step in ("business", "hours", "menu", "person", "number", "agent", "publish", "call"):
        assert client.get(at(harbour.organization, step)).status_code == (200 if may else 404), step
        assert client.get(at(meadow.organization, step)).status_code == 404, step
    begun = client.get("/admin/setup/")
    assert (begun.status_code, begun.headers.get("Location")) == (
        (302, at(harbour.organization, "business")) if may else (403, None)
    )
    posted = client.post("/admin/setup/", {"name": "Mine"})
    assert not Organization.objects.filter(name="Mine").exists(), posted


def test_a_visitor_is_sent_to_the_login_page(client: Client, harbour: World) -> None:
    assert "/login/" in client.get(at(harbour.organization, "publish")).headers["Location"]
    assert client.get(at(harbour.organization, "nowhere")).status_code == 302


def test_the_last_page_says_why_a_first_call_was_refused(root: Client, harbour: World) -> None:
    Agent.objects.update(published_version=None)
    Call.objects.all().delete()
    Call.objects.create(organization=harbour.organization, state=CallState.MISSED, end_reason="agent_not_published")
    page = root.get(at(harbour.organization, "call")).content.decode()
    assert "The agent is not published." in page
    assert "No call was answered yet." in page
    assert "The agent is not published" in page


def test_hours_that_differ_from_day_to_day_are_not_made_alike(root: Client) -> None:
    organization = begin(root)
    root.post(at(organization, "hours"), {"days": ["0", "1"], "opens_at": "08:00", "closes_at": "17:00"})
    organization.opening_hours.filter(weekday=1).update(closes_at="12:00")
    assert "The hours differ from day to day" in root.get(at(organization, "hours")).content.decode()
    root.post(at(organization, "hours"), {"is_always_open": "on"})
    assert organization.opening_hours.count() == 2


SERVICES = {
    "services": "Oil change 45 min 89,90\nInspection: 1.5 h\nTire change 30 minutes - 40 EUR",
    "people": "Anna\nBen",
}


def test_a_garage_enters_the_services_that_it_books(root: Client) -> None:
    garage = begin(root)
    menu = {"heading": "Prices", "items": "Wiper blade 12"}
    assert root.post(at(garage, "menu"), menu).headers["Location"] == at(garage, "services")
    for _ in range(2):
        saved = root.post(at(garage, "services"), SERVICES | {"bays": "Lift 1"})
        assert saved.headers["Location"] == at(garage, "person")
    services = [(each.name, each.duration_minutes, each.price) for each in garage.services.all()]
    assert services == [
        ("Oil change", 45, Decimal("89.90")),
        ("Inspection", 90, None),
        ("Tire change", 30, Decimal(40)),
    ]
    assert all(each.needs_staff and each.needs_bay for each in garage.services.all())
    kinds = list(garage.resources.values_list("name", "kind"))
    assert kinds == [("Anna", "staff"), ("Ben", "staff"), ("Lift 1", "bay")]
    page = root.get(at(garage, "services")).content.decode()
    assert "Already set up: 3 services by Anna, Ben, Lift 1." in page


def test_entered_again_a_service_is_updated_and_keeps_its_rules(root: Client) -> None:
    garage = begin(root)
    root.post(at(garage, "services"), SERVICES)
    garage.services.filter(name="Inspection").update(needs_bay=True, lead_time_minutes=1440)
    root.post(at(garage, "services"), {"services": "Inspection 60 min 120", "people": "Anna"})
    inspection = garage.services.get(name="Inspection")
    assert (inspection.duration_minutes, inspection.price) == (60, Decimal(120))
    assert (inspection.needs_bay, inspection.lead_time_minutes) == (True, 1440)
    assert garage.services.count() == 3


@pytest.mark.parametrize(("services", "error"), [
    ("Oil change", "does not say how long it takes"),
    ("Oil change 89.90", "does not say how long it takes"),
    ("45 min", "does not say how long it takes"),
    ("Oil change 7 min", "Enter a multiple of 5 minutes."),
    ("Oil change 0 min", "greater than or equal to 5"),
    ("Oil change 13 h", "less than or equal to 720"),
    ("Oil|change 45 min", "|"),
    ("Oil change 45 min\nInspection", "Inspection"),
])  # fmt: skip
def test_a_service_without_a_length_that_can_be_booked_is_shown_again(root: Client, services: str, error: str) -> None:
    garage = begin(root)
    page = root.post(at(garage, "services"), {"services": services, "people": "Anna"})
    assert error in page.context["form"].errors["services"][0]
    assert not garage.services.exists()


def test_without_people_and_bays_nothing_could_be_booked(root: Client) -> None:
    garage = begin(root)
    page = root.post(at(garage, "services"), {"services": "Oil change 45 min"})
    assert "without either, no time is free" in page.context["form"].errors["people"][0]
    page = root.post(at(garage, "services"), SERVICES | {"bays": "anna"})
    assert page.context["form"].errors["bays"] == ["“anna” is a person already."]
    assert not garage.resources.exists()


def test_only_those_who_book_appointments_have_the_step_of_services(root: Client) -> None:
    organization = begin(root, "restaurant")
    menu = {"heading": "Menu", "items": "Margherita 9.50"}
    assert root.post(at(organization, "menu"), menu).headers["Location"] == at(organization, "person")
    assert root.get(at(organization, "services")).status_code == 404
    assert at(organization, "services") not in root.get(at(organization, "person")).content.decode()
