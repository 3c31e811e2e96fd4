"""Appointments in the admin: booked, moved and canceled by people, within what is free."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from agents.catalog.models import Service
from agents.hours.models import OpeningHours
from agents.organizations.models import Organization
from agents.resources.models import Absence, Resource, ResourceHours
from sessions.appointments.models import Appointment, AppointmentState, OccupiedSlot
from sessions.appointments.services.booking import Customer, Origin, book_appointment, move_appointment
from sessions.calls.models import Call
from sessions.calls.services import record_event
from sessions.messages.models import OutboxMessage
from voiceapp.core.phones.numbers import show_number

from .test_buttons_save import Page, open_page, url
from .world import World

# A Monday in some weeks, at which nothing else is.
MONDAY = timezone.now().date() + dt.timedelta(days=28 - timezone.now().weekday())


@pytest.fixture
def garage(harbour: World) -> World:
    """One person, always there."""
    OpeningHours.objects.all().delete()
    ResourceHours.objects.all().delete()
    Absence.objects.all().delete()
    return harbour


def at(clock: str, date: dt.date = MONDAY) -> dt.datetime:
    return dt.datetime.combine(date, dt.time.fromisoformat(clock), dt.UTC)


def entered(garage: World, clock: str = "09:00", date: dt.date = MONDAY, **values: object) -> dict[str, Any]:
    form = {
        "organization": garage.organization.pk, "service": garage[Service].pk, "starts_at_0": f"{date:%Y-%m-%d}",
        "starts_at_1": clock, "customer_name": "Ada", "customer_number": "+49 1512 3456789", "vehicle": "VW Golf",
        "note": "",
    }  # fmt: skip
    return form | values


def booked(garage: World, clock: str = "09:00", date: dt.date = MONDAY) -> Appointment:
    now = dt.datetime.combine(date, dt.time(0), dt.UTC) - dt.timedelta(days=2)
    return book_appointment(garage[Service], at(clock, date), Customer("Bea"), Origin(person="bob"), now=now)


def add(client: Client, form: dict[str, Any]) -> Any:
    return client.post("/admin/voice_sessions/appointment/add/", form)


def save(client: Client, row: Appointment, page: Page, **changed: Any) -> str:
    response = client.post(url(Appointment, "change", row.pk), page.posted(_save="Save", **changed), follow=True)
    return response.content.decode()


def test_a_person_books_an_appointment(client_of_alice: Client, garage: World) -> None:
    assert add(client_of_alice, entered(garage)).status_code == 302
    appointment = Appointment.objects.get(customer_name="Ada")
    assert (appointment.starts_at, appointment.number, appointment.made_by) == (at("09:00"), 2, "alice")
    assert (appointment.service_name, appointment.customer_number) == ("Harbour service", "+4915123456789")
    assert [str(each) for each in appointment.resources.all()] == ["Harbour person"]
    assert OccupiedSlot.objects.filter(appointment=appointment).count() == 6
    assert OutboxMessage.objects.filter(event="appointment.booked").count() == 1
    page = client_of_alice.get(url(Appointment, "change", appointment.pk)).content.decode()
    assert "Harbour person" in page
    assert "No. 2" in page


@pytest.mark.parametrize(
    ("clock", "says"),
    [("09:15", "is taken"), ("20:00", "does not fit into our opening hours"), ("11:00", "is taken")],
)
def test_what_is_not_free_is_refused_with_the_reason(
    client_of_alice: Client, garage: World, clock: str, says: str
) -> None:
    booked(garage)
    OpeningHours.objects.create(organization=garage.organization, weekday=0, opens_at=dt.time(8), closes_at=dt.time(17))
    Absence.objects.create(resource=garage[Resource], starts_at=at("11:00"), ends_at=at("12:00"))
    response = add(client_of_alice, entered(garage, clock))
    assert response.status_code == 200
    assert says in response.content.decode()
    assert not Appointment.objects.filter(customer_name="Ada").exists()


def test_a_time_in_the_past_is_refused(client_of_alice: Client, garage: World) -> None:
    response = add(client_of_alice, entered(garage, date=dt.date(2020, 1, 6)))
    assert "is over" in response.content.decode()


def test_another_organizations_service_cannot_be_booked(client_of_alice: Client, garage: World, meadow: World) -> None:
    response = add(client_of_alice, entered(garage, service=meadow[Service].pk))
    assert response.status_code == 200
    assert "Meadow" not in response.content.decode()
    assert not Appointment.objects.filter(customer_name="Ada").exists()


def test_a_new_start_moves_it_and_another_field_changes_it(client_of_alice: Client, garage: World) -> None:
    appointment = booked(garage)
    save(client_of_alice, appointment, open_page(client_of_alice, appointment), starts_at_1="10:05", vehicle="Ford")
    appointment.refresh_from_db()
    assert (appointment.starts_at, appointment.ends_at) == (at("10:05"), at("10:35"))
    assert (appointment.vehicle, appointment.version) == ("Ford", 3)
    assert sorted(appointment.slots.values_list("slot", flat=True)) == [
        int(at("10:05").timestamp()) // 300 + number for number in range(6)
    ]
    assert OutboxMessage.objects.filter(event="appointment.moved").count() == 1
    history = client_of_alice.get(url(Appointment, "history", appointment.pk)).content.decode()
    assert "Ford" in history


def test_it_is_not_moved_onto_another_one(client_of_alice: Client, garage: World) -> None:
    appointment = booked(garage)
    booked(garage, "10:00")
    page = save(client_of_alice, appointment, open_page(client_of_alice, appointment), starts_at_1="10:00")
    assert "is taken" in page
    appointment.refresh_from_db()
    assert (appointment.starts_at, appointment.version) == (at("09:00"), 1)


def test_what_the_agent_moved_meanwhile_is_not_moved_unseen(client_of_alice: Client, garage: World) -> None:
    appointment = booked(garage)
    page = open_page(client_of_alice, appointment)
    move_appointment(appointment, at("14:00"), Origin(), now=timezone.now())
    refused = save(client_of_alice, appointment, page, starts_at_1="11:00")
    assert "changed this to" in refused
    appointment.refresh_from_db()
    assert appointment.starts_at == at("14:00")
    save(client_of_alice, appointment, Page(refused, "appointment_form"))
    appointment.refresh_from_db()
    assert appointment.starts_at == at("11:00")


def test_what_the_agent_moved_stays_where_a_person_changes_something_else(
    client_of_alice: Client, garage: World
) -> None:
    appointment = booked(garage)
    page = open_page(client_of_alice, appointment)
    move_appointment(appointment, at("14:00"), Origin(), now=timezone.now())
    save(client_of_alice, appointment, page, note="Call before")
    appointment.refresh_from_db()
    assert (appointment.starts_at, appointment.note) == (at("14:00"), "Call before")


def test_it_is_canceled_with_a_reason_and_then_stays_as_it_is(client_of_alice: Client, garage: World) -> None:
    appointment = booked(garage)
    client_of_alice.post(url(Appointment, "press", appointment.pk, "cancel"), {"text": "Ill"})
    appointment.refresh_from_db()
    assert (appointment.state, appointment.cancel_reason) == (AppointmentState.CANCELED, "Ill")
    assert not OccupiedSlot.objects.filter(appointment=appointment).exists()
    page = client_of_alice.get(url(Appointment, "change", appointment.pk)).content.decode()
    assert "Ill" in page
    assert 'name="starts_at_0"' not in page
    assert "press/cancel" not in page
    client_of_alice.post(url(Appointment, "change", appointment.pk), {"customer_name": "Eve", "_save": "Save"})
    appointment.refresh_from_db()
    assert appointment.customer_name == "Bea"


def test_whether_the_customer_came_is_noted_after_the_start(client_of_alice: Client, garage: World) -> None:
    appointment = booked(garage, date=dt.date(2024, 1, 8))
    later = booked(garage)
    for row, state in ((appointment, AppointmentState.NO_SHOW), (later, AppointmentState.BOOKED)):
        client_of_alice.post(url(Appointment, "press", row.pk, "no-show"))
        row.refresh_from_db()
        assert row.state == state


def test_nothing_is_deleted(client_of_alice: Client, garage: World) -> None:
    appointment = booked(garage)
    assert client_of_alice.post(url(Appointment, "delete", appointment.pk), {"post": "yes"}).status_code == 403
    listed = client_of_alice.get(url(Appointment, "changelist")).content.decode()
    assert "delete_selected" not in listed
    assert Appointment.objects.filter(pk=appointment.pk).exists()


@pytest.mark.parametrize(("role", "edits"), [("manager", True), ("staff", True), ("viewer", False)])
def test_staff_book_and_see_the_number_and_viewers_only_read(garage: World, role: str, edits: bool) -> None:
    client = Client()
    client.force_login(garage.member(role, "bob"))
    assert (add(client, entered(garage)).status_code == 302) == edits
    page = client.get(url(Appointment, "change", garage[Appointment].pk)).content.decode()
    number = show_number(garage[Call].caller_number)
    assert (number in page) == edits
    assert edits or garage[Call].caller_number not in page


@pytest.mark.parametrize(
    ("day", "shown"),
    [("", {"today", "tomorrow", "later"}), ("today", {"today"}), ("tomorrow", {"tomorrow"}),
     ("week", {"today", "tomorrow"}), ("past", {"before"}), ("all", {"before", "today", "tomorrow", "later"})],
)  # fmt: skip
def test_the_list_is_by_day(client_of_alice: Client, garage: World, day: str, shown: set[str]) -> None:
    organization: Organization = garage.organization
    Organization.objects.filter(pk=organization.pk).update(time_zone="Europe/Berlin")
    Appointment.objects.all().delete()
    organization.refresh_from_db()
    today = timezone.now().astimezone(organization.zone).date()
    for number, (name, days) in enumerate({"before": -1, "today": 0, "tomorrow": 1, "later": 30}.items()):
        start = dt.datetime.combine(today + dt.timedelta(days=days), dt.time(0, 30), organization.zone)
        Appointment.objects.create(
            organization=organization, number=number, service_name="Oil change", currency="EUR", starts_at=start,
            ends_at=start + dt.timedelta(minutes=30), customer_name=f"customer {name}.",
        )  # fmt: skip
    page = client_of_alice.get(url(Appointment, "changelist"), {"day": day} if day else {}).content.decode()
    assert {name for name in ("before", "today", "tomorrow", "later") if f"customer {name}." in page} == shown


def test_services_and_resources_are_set_up_on_their_pages(client_of_alice: Client, garage: World) -> None:
    form = {
        "organization": garage.organization.pk, "name": "Brakes", "duration_minutes": "47", "grid_minutes": "30",
        "lead_time_minutes": "60", "days_ahead": "60", "buffer_before_minutes": "0", "buffer_after_minutes": "0",
        "position": "0",
    }  # fmt: skip
    page = client_of_alice.post("/admin/agents/service/add/", form).content.decode()
    assert "Enter a multiple of 5 minutes." in page
    assert "A service needs a person, a bay, or both." in page
    good = form | {"duration_minutes": "45", "needs_bay": "on"}
    assert client_of_alice.post("/admin/agents/service/add/", good).status_code == 302
    brakes = Service.objects.get(name="Brakes")
    inlines = {f"{name}-{kind}_FORMS": 0 for name in ("hours", "absences") for kind in ("TOTAL", "INITIAL")}
    bay = {"organization": garage.organization.pk, "name": "Bay", "kind": "bay", "services": [brakes.pk],
           "is_active": "on", "position": "1"}  # fmt: skip
    assert client_of_alice.post("/admin/agents/resource/add/", bay | inlines).status_code == 302
    assert [str(each) for each in Resource.objects.get(name="Bay").services.all()] == ["Brakes"]
    away = {"resource": garage[Resource].pk, "starts_at_0": "2031-01-06", "starts_at_1": "12:00",
            "ends_at_0": "2031-01-06", "ends_at_1": "10:00", "note": ""}  # fmt: skip
    refused = client_of_alice.post("/admin/agents/absence/add/", away)
    assert "An absence ends after it starts." in refused.content.decode()


def test_items_are_listed_by_availability(client_of_alice: Client, harbour: World) -> None:
    assert client_of_alice.get("/admin/agents/item/", {"stock": "out"}).status_code == 200
    assert client_of_alice.get("/admin/agents/item/", {"stock__x": "out"}).status_code == 400


def test_a_resource_with_appointments_is_not_deleted(client_of_alice: Client, garage: World) -> None:
    booked(garage)
    resource = garage[Resource]
    assert client_of_alice.post(url(Resource, "delete", resource.pk), {"post": "yes"}).status_code == 403
    free = Resource.objects.create(organization=garage.organization, name="Nobody")
    assert client_of_alice.post(url(Resource, "delete", free.pk), {"post": "yes"}).status_code == 302


def test_the_page_of_a_call_shows_what_it_booked(client_of_alice: Client, harbour: World) -> None:
    record_event(harbour[Call].pk, "appointment_booked", {"number": 1, "service": "Check", "at": "2030-01-07 09:00"})
    page = client_of_alice.get(url(Call, "change", harbour[Call].pk)).content.decode()
    appointment = harbour[Appointment]
    assert f'href="{url(Appointment, "change", appointment.pk)}"' in page
    assert "Harbour car" in page
    assert "Harbour person" in page
    assert "Appointment No. 1 (Check) was booked for 2030-01-07 09:00." in page


def test_the_dashboard_counts_todays_appointments_in_the_zone_of_each_organization(
    client_of_alice: Client, garage: World
) -> None:
    def tile() -> Any:
        tiles = {each.label: each for each in client_of_alice.get("/admin/").context["dashboard"].tiles}
        return tiles.get("Appointments")

    assert tile() is None
    Organization.objects.filter(pk=garage.organization.pk).update(trade="garage")
    assert (tile().value, tile().hint) == ("0", "today; 1 newly booked")
    Organization.objects.filter(pk=garage.organization.pk).update(time_zone="Pacific/Kiritimati")
    organization = Organization.objects.get(pk=garage.organization.pk)
    today = timezone.now().astimezone(organization.zone).date()
    for number, days in enumerate((-1, 0, 0, 1)):
        start = dt.datetime.combine(today + dt.timedelta(days=days), dt.time(0, 30), organization.zone)
        Appointment.objects.create(
            organization=organization, number=number + 5, service_name="Oil change", currency="EUR", starts_at=start,
            ends_at=start + dt.timedelta(minutes=30), customer_name="Ada",
            state=AppointmentState.CANCELED if number == 2 else AppointmentState.BOOKED,
        )  # fmt: skip
    assert tile().value == "1"
