"""From a booked appointment to the signed post at the organization's endpoint, and to the card in the garage."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from agents.organizations.models import Organization
from sessions import tasks
from sessions.appointments.services.booking import (
    Customer,
    Origin,
    book_appointment,
    cancel_appointment,
    move_appointment,
)
from sessions.messages.endpoints.services.delivering import body_of
from sessions.messages.models import OutboxMessage
from sessions.tests.builders import make_garage
from voiceapp.simulators.kitchen.appointment_card import appointment_card

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 12, 1, 9, 0, tzinfo=dt.UTC)
FRIDAY_AT_NINE = dt.datetime(2026, 12, 4, 8, 0, tzinfo=dt.UTC)


def booked_moved_and_canceled(**values: object) -> Organization:
    organization = make_garage(**values)[0]  # type: ignore[arg-type]
    service = organization.services.get(name="Inspection")
    customer = Customer("Ada", "+4915112345678", "VW Golf", "squeaks")
    appointment = book_appointment(service, FRIDAY_AT_NINE, customer, Origin(), now=NOW)
    move_appointment(appointment, FRIDAY_AT_NINE + dt.timedelta(hours=1), Origin(), now=NOW)
    cancel_appointment(appointment, Origin(), reason="Ill")
    return organization


def test_what_becomes_of_an_appointment_is_posted_in_order(posts: list[dict[str, object]]) -> None:
    booked_moved_and_canceled()
    assert tasks.sweep_outbox() == 3
    bodies = [json.loads(post["body"]) for post in posts]  # type: ignore[arg-type]
    assert [body["type"] for body in bodies] == ["appointment.booked", "appointment.moved", "appointment.canceled"]
    assert [body["data"]["version"] for body in bodies] == [1, 2, 3]
    assert [body["data"]["state"] for body in bodies] == ["booked", "booked", "canceled"]
    assert "movedFrom" not in bodies[0]["data"]
    assert bodies[1]["data"]["movedFrom"] == "2026-12-04T08:00:00.000Z"
    assert bodies[2]["data"]["cancelReason"] == "Ill"


def test_every_attempt_sends_the_same_bytes_and_the_garage_understands_them() -> None:
    booked_moved_and_canceled()
    message = OutboxMessage.objects.get(event="appointment.booked")
    body = body_of(message)
    assert body is not None
    assert body == body_of(OutboxMessage.objects.get(pk=message.pk))
    assert appointment_card(json.loads(body)).splitlines()[1:-1] == [
        "APPOINTMENT 1",
        "2026-12-04 09:00 to 10:00",
        "Inspection",
        "Mia, Bay 1",
        "Ada +4915112345678",
        "VW Golf",
        "squeaks",
    ]
