"""One day of the plan: its length, what is open, and what lies in it at least in part."""

from __future__ import annotations

import datetime as dt

import pytest

from agents.hours.models import SpecialDay
from agents.organizations.models import Organization
from agents.resources.models import Absence, Resource, ResourceHours
from sessions.appointments.days import Day, Stretch, read_day_plan
from sessions.appointments.models import Appointment
from sessions.tests.builders import make_garage

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
FRIDAY = dt.date(2026, 12, 4)


@pytest.fixture
def garage() -> Organization:
    return make_garage()[0]


@pytest.mark.parametrize(
    ("date", "length", "hours"),
    [
        (dt.date(2027, 3, 28), 1380, ["00:00", "01:00", "03:00"]),
        (dt.date(2027, 10, 31), 1500, ["00:00", "01:00", "02:00 CEST", "02:00 CET", "03:00"]),
        (FRIDAY, 1440, ["00:00", "01:00", "02:00"]),
    ],
)
def test_a_day_is_as_long_as_its_clock_says(garage: Organization, date: dt.date, length: int, hours: list[str]) -> None:
    day = Day(date, garage.zone)
    names = [name for _minute, name in day.hours()]
    assert (day.length, names[: len(hours)]) == (length, hours)


def test_a_resource_is_idle_while_closed_off_or_away(garage: Organization) -> None:
    mia = Resource.objects.get(name="Mia")
    ResourceHours.objects.create(resource=mia, weekday=4, opens_at=dt.time(7), closes_at=dt.time(12))
    noon = dt.datetime(2026, 12, 4, 10, tzinfo=dt.UTC)
    Absence.objects.create(resource=mia, starts_at=noon, ends_at=noon + dt.timedelta(minutes=30), note="Dentist")
    plan = read_day_plan(garage, FRIDAY)
    assert plan.opens == [(480, 1020)]
    assert plan.columns[0].stretches == [
        Stretch(0, 480, "closed"), Stretch(660, 690, "away", "Dentist"), Stretch(720, 1020, "off"),
        Stretch(1020, 1440, "closed"),
    ]  # fmt: skip
    assert plan.shown() == (480, 1020)


def test_a_closed_day_says_why_and_shows_its_appointments_all_the_same(garage: Organization) -> None:
    SpecialDay.objects.create(organization=garage, date=FRIDAY, note="Inventory")
    plan = read_day_plan(garage, FRIDAY)
    assert (plan.opens, plan.closed_note, plan.shown()) == ([], "Inventory", (480, 1080))
    begin = dt.datetime(2026, 12, 3, 22, 30, tzinfo=dt.UTC)  # 23:30 in Berlin
    Appointment.objects.create(
        organization=garage, number=1, service_name="Tow", currency="EUR", starts_at=begin,
        ends_at=begin + dt.timedelta(hours=2), customer_name="Ada",
    )  # fmt: skip
    for date, within in ((FRIDAY, (0, 90)), (FRIDAY - dt.timedelta(days=1), (1410, 1440))):
        plan = read_day_plan(garage, date)
        appointment = plan.appointments[0]
        assert plan.day.within(appointment.starts_at, appointment.ends_at) == within
    assert read_day_plan(garage, FRIDAY + dt.timedelta(days=1)).appointments == []
