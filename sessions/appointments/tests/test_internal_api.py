"""/api/realtime/appointment-times and book-appointment: what they offer and book, once per key, and bad input."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.db import OperationalError
from django.test import Client
from pytest_django import Settings

from agents.organizations.models import Organization
from sessions.appointments.models import Appointment
from sessions.calls.models import Call
from sessions.messages.models import OutboxMessage
from sessions.tests.builders import make_garage

pytestmark = [pytest.mark.django_db, pytest.mark.urls("sessions.urls")]

KEY = "k" * 40
CONFIG, TIMES, BOOK = (
    f"/api/realtime/{name}" for name in ("org-config", "appointment-times", "book-appointment")
)  # fmt: skip
NINE = "2026-12-04T08:00:00Z"


@pytest.fixture(autouse=True)
def today(settings: Settings) -> Iterator[None]:
    """A Tuesday, 10:00 in Berlin."""
    settings.INTERNAL_API_KEY = KEY
    with time_machine.travel(dt.datetime(2026, 12, 1, 9, tzinfo=dt.UTC), tick=False):
        yield


@pytest.fixture
def machine() -> Client:
    return Client(headers={"Authorization": f"Bearer {KEY}"}, raise_request_exception=True)


@pytest.fixture
def garage() -> tuple[Organization, Call]:
    return make_garage()


def book(machine: Client, body: object, key: str = "appointment-1") -> Any:
    content = body if isinstance(body, str | bytes) else json.dumps(body)
    return machine.post(BOOK, content, content_type="application/json", headers={"Idempotency-Key": key})


def wish(organization: Organization, **more: object) -> dict[str, object]:
    body = {"orgId": str(organization.pk), "service": "oil change", "time": NINE, "customerName": "Alice"}
    return body | more


def refusal(answer: Any) -> tuple[str, str]:
    error = answer.json()["error"]
    return error["code"], error["message"]


def test_without_the_key_both_return_401(garage: tuple[Organization, Call]) -> None:
    stranger = Client()
    assert stranger.get(TIMES, {"orgId": str(garage[0].pk), "service": "oil change"}).status_code == 401
    assert book(stranger, wish(garage[0])).status_code == 401
    assert not Appointment.objects.exists()


def test_times_are_offered_near_a_wish(machine: Client, garage: tuple[Organization, Call]) -> None:
    query = {"orgId": str(garage[0].pk), "service": "new oil", "when": "Friday morning"}
    assert machine.get(TIMES, query).json() == {
        "service": "Oil change",
        "say": "I have Friday, December 4 at 8 am, 10 am or 11:30 am.",
        "asWished": True,
        "times": [
            {"startsAt": "2026-12-04T07:00:00.000Z", "say": "Friday, December 4 at 8 am"},
            {"startsAt": "2026-12-04T09:00:00.000Z", "say": "Friday, December 4 at 10 am"},
            {"startsAt": "2026-12-04T10:30:00.000Z", "say": "Friday, December 4 at 11:30 am"},
        ],
    }
    nearest = machine.get(TIMES, query | {"when": "Sunday"}).json()
    assert nearest["asWished"] is False
    assert nearest["times"]


@pytest.mark.parametrize(
    ("query", "status"),
    [({"service": "oil"}, 400), ({"service": ""}, 400), ({"service": "oil", "orgId": "x"}, 400),
     ({"service": "oil", "orgId": "3f0e8c1a-5b7d-4a2e-9c6f-1d2e3f4a5b6c"}, 404),
     ({"service": "oil", "x": "1"}, 400)],
)  # fmt: skip
def test_a_bad_query_is_refused(machine: Client, query: dict[str, str], status: int) -> None:
    assert machine.get(TIMES, query).status_code == status


@pytest.mark.parametrize(
    ("service", "when", "says"),
    [("haircut", "", "We do not offer"), ("oil", "blue moon", "I did not understand “blue moon”")],
)
def test_what_is_not_understood_is_422_with_a_sentence(
    machine: Client, garage: tuple[Organization, Call], service: str, when: str, says: str
) -> None:
    code, message = refusal(machine.get(TIMES, {"orgId": str(garage[0].pk), "service": service, "when": when}))
    assert code == "appointment_refused"
    assert message.startswith(says)


def test_an_appointment_is_booked_once_per_key(machine: Client, garage: tuple[Organization, Call]) -> None:
    organization, call = garage
    body = wish(organization, callId=str(call.pk), vehicle="VW Golf", note="squeaks")
    first, again = book(machine, body), book(machine, body)
    assert (first.status_code, again.status_code) == (201, 201)
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert first.json() == again.json()
    appointment = first.json()["appointment"]
    assert (appointment["startsAt"], appointment["service"]) == ("2026-12-04T08:00:00.000Z", "Oil change")
    assert (appointment["customerNumber"], appointment["vehicle"]) == (call.caller_number, "VW Golf")
    assert Appointment.objects.count() == OutboxMessage.objects.count() == 1
    assert refusal(book(machine, body | {"note": "other"}))[0] == "idempotency_key_reused"


@pytest.mark.parametrize(
    ("starts_at", "says"),
    [
        ("2026-12-01T08:00:00Z", "Today, Tuesday, December 1 at 9 am is over."),
        ("2026-12-05T08:00:00Z", "Saturday, December 5 at 9 am is not possible"),
        ("2026-12-04T08:07:00Z", "Appointments for Oil change begin every half hour."),
        ("2027-12-03T08:00:00Z", "Friday, December 3, 2027 at 9 am is too far ahead"),
        ("9999-12-31T23:59:59Z", "I did not understand"),
        ("Friday", "I have Friday, December 4 at 8 am, 12:30 pm or 4:30 pm."),
    ],
)
def test_only_what_is_offered_is_booked_and_the_key_stays_free(
    machine: Client, garage: tuple[Organization, Call], starts_at: str, says: str
) -> None:
    code, message = refusal(book(machine, wish(garage[0], time=starts_at)))
    assert code == "appointment_refused"
    assert message.startswith(says)
    assert not Appointment.objects.exists()
    assert book(machine, wish(garage[0])).status_code == 201


def test_another_organizations_call_is_unknown(machine: Client, garage: tuple[Organization, Call]) -> None:
    _, stranger = make_garage("Bobs Garage")
    assert refusal(book(machine, wish(garage[0], callId=str(stranger.pk))))[0] == "unknown_call"
    assert not Appointment.objects.exists()


@pytest.mark.parametrize(
    "changed",
    [
        {"time": 9}, {"time": ""}, {"time": None}, {"startsAt": NINE}, {"customerName": ""}, {"customerNumber": "555"},
        {"price": "0"}, {"service": 7}, {"orgId": "x"}, {"callId": "x"}, {"note": "x" * 301},
    ],
)  # fmt: skip
def test_a_bad_body_is_400_and_never_500(
    machine: Client, garage: tuple[Organization, Call], changed: dict[str, object]
) -> None:
    assert book(machine, wish(garage[0], **changed)).status_code == 400
    assert not Appointment.objects.exists()


@pytest.mark.parametrize("key", ["", "x" * 129, "with space"])
def test_a_missing_or_odd_key_is_400(machine: Client, garage: tuple[Organization, Call], key: str) -> None:
    assert book(machine, wish(garage[0]), key=key).status_code == 400


def test_a_database_that_refuses_is_503_and_the_key_may_be_sent_again(
    machine: Client, garage: tuple[Organization, Call], monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: object, **__: object) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr("sessions.messages.endpoints.services.announcing.outbox.enqueue", locked)
    answer = book(machine, wish(garage[0]))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert not Appointment.objects.exists()
    monkeypatch.undo()
    assert book(machine, wish(garage[0])).status_code == 201


def test_the_configuration_has_the_services(machine: Client, garage: tuple[Organization, Call]) -> None:
    services = machine.get(CONFIG, {"orgId": str(garage[0].pk)}).json()["services"]
    assert [(each["name"], each["price"], each["durationMinutes"]) for each in services] == [
        ("Oil change", "89.90", 30), ("Inspection", "120.00", 60), ("Brake repair", None, 120),
    ]  # fmt: skip
    assert services[0]["spokenForms"] == ["oil service", "new oil"]
