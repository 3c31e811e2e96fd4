"""A garage with a person, Mia, whose calendar is on a CalDAV server of its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from agents.organizations.models import Organization
from agents.resources.models import Resource
from agents.tests.builders import make_organization, make_resource, make_service
from sessions.appointments.calendars.models import ConnectedCalendar
from sessions.appointments.models import Appointment
from sessions.appointments.services.booking import (
    Customer,
    Origin,
    book_appointment,
    cancel_appointment,
    move_appointment,
)
from sessions.messages.outbox import outbox
from voiceapp.providers.caldav.tests.radicale_server import PASSWORD, USERNAME, RadicaleServer, radicale_server

ALICE = Origin(person="alice")


@dataclass
class Garage:
    """Open around the clock; oil changes take half an hour."""

    organization: Organization
    mia: Resource

    @staticmethod
    def at(hour: int, minute: int = 0) -> dt.datetime:
        """In two days, in UTC."""
        day = timezone.now() + dt.timedelta(days=2)
        return day.replace(hour=hour, minute=minute, second=0, microsecond=0)

    def book(self, hour: int = 9, *, name: str = "Miller", **values: str) -> Appointment:
        service = self.organization.services.get()
        return book_appointment(service, self.at(hour), Customer(name, **values), ALICE)

    def move(self, appointment: Appointment, hour: int) -> Appointment:
        return move_appointment(Appointment.objects.get(pk=appointment.pk), self.at(hour), ALICE)

    def cancel(self, appointment: Appointment) -> Appointment:
        return cancel_appointment(Appointment.objects.get(pk=appointment.pk), ALICE)

    def connect(self, server: RadicaleServer, resource: Resource | None = None, **values: object) -> ConnectedCalendar:
        calendar = ConnectedCalendar(
            resource=resource or self.mia, address=server.base_url, username=USERNAME, **values
        )
        calendar.password = PASSWORD
        calendar.save()
        return calendar


def deliver() -> int:
    """What a worker does, also with what waits for its retry."""
    outbox.model.objects.filter(state="waiting").update(due_at=timezone.now(), lease_expires_at=None)
    return outbox.process_due(["appointment.calendar"])


@pytest.fixture
def garage(db: None, settings: Settings) -> Garage:
    settings.SIMULATORS = ["caldav"]  # the server is on loopback
    organization = make_organization("Alice Garage", time_zone="Europe/Berlin", country="DE")
    make_service(organization, grid_minutes=5)
    return Garage(organization, make_resource(organization, "Mia"))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RadicaleServer]:
    with radicale_server(tmp_path) as server:
        yield server
