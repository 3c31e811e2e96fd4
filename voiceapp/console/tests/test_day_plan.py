"""The day plan's page, its feed and its buttons, by role."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from agents.catalog.models import Service
from agents.hours.models import OpeningHours
from agents.organizations.models import Membership
from agents.resources.models import Absence, Resource, ResourceHours
from sessions.appointments.models import Appointment, AppointmentState, BookedResource

from .world import World

pytestmark = pytest.mark.embedded

# A Monday in some weeks, at which nothing else is.
MONDAY = timezone.now().date() + dt.timedelta(days=28 - timezone.now().weekday())


@pytest.fixture
def garage(harbour: World) -> World:
    """One person, always there; one appointment on that Monday at 9."""
    OpeningHours.objects.all().delete()
    ResourceHours.objects.all().delete()
    Absence.objects.all().delete()
    start = at("09:00")
    Appointment.objects.filter(organization=harbour.organization).update(
        starts_at=start, ends_at=start + dt.timedelta(minutes=30), customer_name="<b>Ada</b>"
    )
    BookedResource.objects.update(first_slot=slot(start), end_slot=slot(start) + 6)
    return harbour


def at(clock: str) -> dt.datetime:
    return dt.datetime.combine(MONDAY, dt.time.fromisoformat(clock), dt.UTC)


def slot(start: dt.datetime) -> int:
    return int(start.timestamp()) // 300


def url(world: World, name: str = "", *args: Any) -> str:
    return reverse(f"day-plan{name}", args=(world.organization.pk, *args))


def of(world: World, name: str) -> str:
    return url(world, name, world[Appointment].pk)


def read(client: Client, world: World) -> tuple[dict[str, Any], dict[str, Any]]:
    """The card of the first appointment, and the plan itself, as a page that polls gets them."""
    events = client.get(url(world, "-feed"), {"poll": "1", "day": f"{MONDAY}"}).json()["events"]
    return events[0]["data"], events[-1]["data"]


def sign_in(world: World, role: str) -> Client:
    user = User.objects.create_user(role, is_staff=True)
    Membership.objects.create(organization=world.organization, user=user, role=role)
    client = Client()
    client.force_login(user)
    return client


def test_a_card_has_all_that_the_desk_needs_and_escapes_names(client_of_alice: Client, garage: World) -> None:
    card, plan = read(client_of_alice, garage)
    for part in ("09:00–09:30", "&lt;b&gt;Ada", "Harbour service", "Harbour car", "appointment note", "Booked"):
        assert part in card["face"]
    assert (card["begin"], card["end"], card["columns"]) == (540, 570, [garage[Resource].pk])
    assert (plan["first"], plan["end"], plan["length"]) == (0, 1440, 1440)
    page = client_of_alice.get(url(garage), {"day": f"{MONDAY}"}).content.decode()
    assert "<b>Ada" not in page
    assert f'href="?day={MONDAY - dt.timedelta(days=1)}"' in page


def test_changes_and_refusals_come_back_as_sentences(client_of_alice: Client, garage: World) -> None:
    appointment = garage[Appointment]
    moved = client_of_alice.post(
        of(garage, "-move"), {"day": f"{MONDAY}", "time": "10:05", "resource": garage[Resource].pk, "seen": 1}
    )
    assert (moved.status_code, "10:05." in moved.json()["message"]) == (200, True)
    late = client_of_alice.post(of(garage, "-move"), {"start": int(at("11:00").timestamp()), "seen": 1})
    assert (late.status_code, "alice moved it to" in late.json()["message"]) == (409, True)
    event = appointment.events.get()
    assert f'data-event="{event.pk}"' in read(client_of_alice, garage)[0]["details"]
    assert client_of_alice.post(of(garage, "-undo"), {"event": event.pk}).json()["message"].endswith("is put back.")
    assert "reason" in client_of_alice.post(of(garage, "-cancel"), {"reason": " ", "seen": 3}).json()["message"]
    assert client_of_alice.post(of(garage, "-cancel"), {"reason": "Ill", "seen": 3}).status_code == 200
    appointment.refresh_from_db()
    assert (appointment.starts_at, appointment.state) == (at("09:00"), AppointmentState.CANCELED)
    card = read(client_of_alice, garage)[0]
    assert (card["columns"], "Ill" in card["details"]) == ([], True)


@pytest.mark.parametrize(
    "odd",
    [
        {}, {"start": "9" * 17}, {"start": "-1"}, {"day": "0001-01-01", "time": "00:00"}, {"day": "x", "time": "1"},
        {"day": "2030-01-07", "time": "25:00"}, {"day": "2030-01-07", "time": "10:00", "resource": "0"},
        {"day": "2030-01-07\x00", "time": "10:00\x00", "resource": "1" * 30},
    ],
)  # fmt: skip
def test_odd_input_is_refused_with_a_sentence(client_of_alice: Client, garage: World, odd: dict[str, str]) -> None:
    for name in ("move", "undo", "state", "cancel"):
        response = client_of_alice.post(of(garage, f"-{name}"), odd | {"seen": "1\x00"})
        assert (response.status_code, bool(response.json()["message"])) == (409, True)
    booking = {"service": garage[Service].pk, "name": "Ada", "key": "k"}
    assert client_of_alice.post(url(garage, "-book"), booking | odd).status_code == 409
    assert client_of_alice.get(url(garage), {"day": odd.get("day", "\x00")}).status_code == 200


def test_a_free_time_is_booked_by_hand(client_of_alice: Client, garage: World, meadow: World) -> None:
    form = {"service": garage[Service].pk, "day": f"{MONDAY}", "time": "14:00", "resource": garage[Resource].pk,
            "name": "Eve", "number": "+49 1512 3456789", "vehicle": "", "note": "", "key": "k"}  # fmt: skip
    for wrong in ({"name": "x" * 121}, {"name": "a\u202eb"}, {"number": "12"}, {"service": meadow[Service].pk},
                  {"resource": meadow[Resource].pk}, {"time": "09:15"}):  # fmt: skip
        assert client_of_alice.post(url(garage, "-book"), form | wrong).status_code == 409
    for _ in range(2):
        assert "is booked on" in client_of_alice.post(url(garage, "-book"), form).json()["message"]
    booked = Appointment.objects.get(customer_name="Eve")
    assert (booked.starts_at, booked.made_by, booked.customer_number) == (at("14:00"), "alice", "+4915123456789")


def test_roles_see_and_do_what_they_may(garage: World, meadow: World) -> None:
    Appointment.objects.update(customer_number="+4915112345678")
    staff, viewer, kitchen = (sign_in(garage, role) for role in ("staff", "viewer", "kitchen"))
    assert "tel:+4915112345678" in read(staff, garage)[0]["details"]
    seen = read(viewer, garage)[0]
    assert "15112345678" not in json.dumps(seen)
    assert "data-do" not in seen["details"]
    for name in ("move", "state", "cancel", "undo"):
        assert viewer.post(of(garage, f"-{name}"), {"seen": 1}).status_code == 403
    assert viewer.post(url(garage, "-book")).status_code == 403
    charlie = Client()
    charlie.force_login(meadow.member("owner", "charlie"))
    for stranger in (charlie, kitchen):
        for path in (url(garage), url(garage, "-feed") + "?poll=1"):
            assert stranger.get(path).status_code == 404
        assert stranger.post(of(garage, "-move"), {"seen": 1}).status_code == 404
    assert staff.post(url(garage, "-move", meadow[Appointment].pk), {"seen": 1}).status_code == 404
    assert Client().post(of(garage, "-move"), {"seen": 1}).status_code == 401
    assert staff.get(reverse("day-plans")).status_code == 302


def test_forty_appointments_take_as_many_queries_as_one(client_of_alice: Client, garage: World) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as taken:
            client_of_alice.get(url(garage), {"day": f"{MONDAY}"})
        return len(taken)

    garage[Appointment].events.create(before="booked", after="arrived", by="mia")
    one = queries()
    for number in range(2, 42):
        start = at("10:00") + dt.timedelta(minutes=10 * number)
        row = Appointment.objects.create(
            organization=garage.organization, number=number, service_name="Check", currency="EUR", starts_at=start,
            ends_at=start + dt.timedelta(minutes=10), customer_name="Ada",
        )  # fmt: skip
        BookedResource.objects.create(
            appointment=row, resource=garage[Resource], first_slot=slot(start), end_slot=slot(start) + 2
        )
        row.events.create(before="booked", after="booked", by="mia", moved_from=start, moved_to=start)
    assert queries() == one <= 25
    page = client_of_alice.get(url(garage), {"day": f"{MONDAY}"}).content.decode()
    events = page.partition('id="plan-events" type="application/json">')[2].partition("</script>")[0]
    assert len(json.loads(events)) == 42
