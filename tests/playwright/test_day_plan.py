"""The day plan in a browser: an appointment is dragged, moved by keyboard, refused, undone; one is booked by hand."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from agents.organizations.models import Membership, Organization
from agents.resources.models import Resource
from sessions.appointments.models import Appointment
from sessions.appointments.services.booking import Customer, Origin, book_appointment, move_appointment
from sessions.tests.builders import make_garage

from .conftest import CHROMIUM, Desk

pytestmark = [
    pytest.mark.browser,
    pytest.mark.embedded,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here"),
]


@pytest.fixture
def garage(demo: object) -> Organization:
    garage = make_garage()[0]
    Membership.objects.create(organization=garage, user=User.objects.get(username="alice"), role="owner")
    return garage


def monday() -> dt.date:
    today = timezone.now().date()
    return today + dt.timedelta(days=14 - today.weekday())


def book(garage: Organization, clock: str, name: str, *, service: str = "Oil change", who: str = "Mia") -> Appointment:
    start = at(garage, clock)
    resource = Resource.objects.get(organization=garage, name=who)
    row = garage.services.get(name=service)
    return book_appointment(row, start, Customer(name, "+4915112345678"), Origin(person="bob"), resource=resource)


def at(garage: Organization, clock: str) -> dt.datetime:
    return dt.datetime.combine(monday(), dt.time.fromisoformat(clock), garage.zone)


def card(page: Page, appointment: Appointment, who: str) -> Locator:
    return page.get_by_role("group", name=who, exact=True).locator(f'[data-appointment="{appointment.pk}"]')


def drag(page: Page, one: Locator, *, by_minutes: int, to: str) -> None:
    box, body = one.bounding_box(), page.get_by_role("group", name=to, exact=True).bounding_box()
    assert box
    assert body
    px = page.evaluate("parseFloat(document.getElementById('grid').style.getPropertyValue('--px'))")
    page.mouse.move(box["x"] + 20, box["y"] + 8)
    page.mouse.down()
    page.mouse.move(box["x"] + 30, box["y"] + 20)
    page.mouse.move(body["x"] + 40, box["y"] + 8 + by_minutes * px, steps=4)
    page.mouse.up()


def in_time(garage: Organization, appointment: Appointment) -> tuple[str, list[str]]:
    appointment.refresh_from_db()
    names = [str(each) for each in appointment.booked.all()]
    return f"{appointment.starts_at.astimezone(garage.zone):%H:%M}", names


@pytest.mark.parametrize("desk", ["1280 light"], indirect=True)
def test_an_appointment_is_dragged_moved_by_keyboard_refused_and_undone(garage: Organization, desk: Desk) -> None:
    ada, eve = book(garage, "09:00", "Ada <b>bold</b>"), book(garage, "11:00", "Eve", who="Tom")
    page = desk.open(f"/admin/appointments/plan/{garage.pk}/?day={monday()}")
    expect(card(page, ada, "Mia")).to_contain_text("Ada <b>bold</b>")
    drag(page, card(page, ada, "Mia"), by_minutes=60, to="Tom")
    expect(card(page, ada, "Tom")).to_contain_text("10:00–10:30")
    assert in_time(garage, ada) == ("10:00", ["Tom"])
    # By the same rules as the agent: ten minutes into another appointment are too many.
    drag(page, card(page, ada, "Tom"), by_minutes=50, to="Tom")
    expect(page.locator("#trouble")).to_contain_text(f"Tom has appointment No. {eve.number} then (11:00–11:30)")
    expect(card(page, ada, "Tom")).to_contain_text("10:00–10:30")
    assert page.locator(".ghost").count() == 0
    # By keyboard; somebody else was faster, and pressing again is a decision.
    card(page, ada, "Tom").get_by_role("button").press("Enter")
    page.get_by_role("button", name="Move …").press("Enter")
    move_appointment(Appointment.objects.get(pk=ada.pk), at(garage, "15:00"), Origin(person="bob"))
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Time").fill("12:00")
    dialog.get_by_label("Person or bay").select_option(label="Mia")
    assert desk.faults_of_access() == []
    dialog.get_by_role("button", name="Move", exact=True).press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("bob moved it to")
    dialog.get_by_role("button", name="Move", exact=True).press("Enter")
    expect(card(page, ada, "Mia")).to_contain_text("12:00–12:30")
    expect(card(page, ada, "Mia").get_by_role("button")).to_be_focused()
    page.locator("#news").get_by_role("button", name="Undo").click()
    expect(card(page, ada, "Tom")).to_contain_text("15:00–15:30")
    expect(page.locator("#news")).to_contain_text("is put back.")
    card(page, ada, "Tom").get_by_role("button").click()
    page.get_by_role("button", name="Cancel …").click()
    page.get_by_label("The customer canceled.").check()
    page.get_by_role("button", name="Cancel the appointment").click()
    expect(page.locator("#beside-canceled")).to_contain_text("Ada")
    assert in_time(garage, ada)[0] == "15:00"
    # A session that ran out in mid-move: the card is back, and the page says what to do.
    Session.objects.all().delete()
    drag(page, card(page, eve, "Tom"), by_minutes=60, to="Mia")
    expect(page.locator("#trouble")).to_contain_text("Sign in again")
    expect(card(page, eve, "Tom")).to_be_visible()
    assert in_time(garage, eve) == ("11:00", ["Tom"])


@pytest.mark.parametrize("desk", ["390 dark"], indirect=True)
def test_a_phone_shows_one_column_and_books_a_free_time(garage: Organization, desk: Desk) -> None:
    Resource.objects.filter(organization=garage, name="Tom").delete()
    for number in range(17):
        book(garage, f"{8 + number // 2:02}:{number % 2 * 30:02}", f"Customer {number}")
    page = desk.open(f"/admin/appointments/plan/{garage.pk}/?day={monday()}")
    expect(page.get_by_text("17 appointments")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert desk.faults_of_access() == []
    page.get_by_role("button", name="Bay 1", exact=True).click()
    expect(page.get_by_role("group", name="Mia", exact=True)).to_be_hidden()
    page.get_by_role("button", name="Mia", exact=True).click()
    # A card that is held at the side turns to the next column.
    box = page.locator(".body .card:visible").first.bounding_box()
    assert box
    page.mouse.move(box["x"] + 20, box["y"] + 8)
    page.mouse.down()
    page.mouse.move(386, box["y"] + 20, steps=3)
    expect(page.get_by_role("group", name="Bay 1", exact=True).locator(".ghost")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("group", name="Mia", exact=True)).to_be_visible()
    page.wait_for_timeout(300)
    page.mouse.move(box["x"] + 20, box["y"] + 10)
    page.mouse.up()
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_role("group", name="Mia", exact=True).locator(".card").last.scroll_into_view_if_needed()
    heights = page.locator(".body .card:visible").evaluate_all("all => all.map(each => each.offsetHeight)")
    assert min(heights) >= 44
    box = page.get_by_role("group", name="Mia", exact=True).bounding_box()
    assert box
    page.mouse.click(box["x"] + 100, box["y"] + box["height"] - 10)
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Service").select_option(index=1)
    dialog.get_by_label("Customer's name").fill("Zoe")
    assert dialog.get_by_label("Time").input_value() == "16:45"
    dialog.get_by_label("Time").fill("16:30")
    dialog.get_by_role("button", name="Book", exact=True).click()
    expect(page.locator(".body .card:visible").last).to_contain_text("Zoe")
    assert Appointment.objects.get(customer_name="Zoe").booked.get().resource.name == "Mia"
