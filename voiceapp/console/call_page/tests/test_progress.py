"""What the page learns of its call: the appointment as it is chosen and booked, and for staff cost and log."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from sessions.appointments.models import Appointment, DraftAppointment
from sessions.calls.models import Call
from sessions.tests.builders import make_garage

from ..progress import progress_of

pytestmark = pytest.mark.django_db

START = dt.datetime(2030, 12, 6, 8, 0, tzinfo=dt.UTC)


@pytest.fixture
def call() -> Call:
    return make_garage()[1]


@pytest.fixture
def draft(call: Call) -> DraftAppointment:
    assert call.organization is not None
    service = call.organization.services.first()
    return DraftAppointment.objects.create(
        call=call, version=2, service=service, starts_at=START, customer_name="Alice", price=Decimal(89)
    )


def test_nothing_is_booked_yet(call: Call) -> None:
    assert progress_of(call)["appointment"] is None


def test_an_appointment_while_it_is_chosen(call: Call, draft: DraftAppointment) -> None:
    shown = progress_of(call)["appointment"]
    assert draft.service is not None
    assert (shown["number"], shown["service"], shown["name"]) == (None, draft.service.name, "Alice")
    assert (shown["when"], shown["price"]) == ("Friday, December 6, 2030 at 9 am", "89.00")


def test_an_appointment_that_was_booked(call: Call, draft: DraftAppointment) -> None:
    assert call.organization is not None
    draft.appointment = Appointment.objects.create(
        organization=call.organization, number=4, service_name="Oil change", currency="EUR", starts_at=START,
        ends_at=START + dt.timedelta(hours=1), customer_name="Alice", call=call, draft_version=2, made_by="agent",
    )  # fmt: skip
    draft.carried_out_version = 2
    draft.save()
    shown = progress_of(call)["appointment"]
    assert (shown["number"], shown["state"], shown["service"], shown["price"]) == (4, "booked", "Oil change", "")


def test_cost_and_log_are_for_staff(call: Call) -> None:
    assert not {"cost", "logUrl"} & set(progress_of(call))
    assert progress_of(call, is_operator=True)["cost"] is None
    call.cost_usd, call.ended_at = Decimal("0.042137"), timezone.now()
    staff = progress_of(call, is_operator=True)
    assert (staff["cost"], staff["logUrl"]) == ("0.0421", f"/admin/voice_sessions/call/{call.pk}/change/")
