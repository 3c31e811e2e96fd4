"""Customers are texted what became of their appointment, to the number that called, and are reminded of it."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db.models import F
from django.utils import timezone
from pytest_django import Settings

from agents.catalog.models import Service
from agents.organizations.models import Organization
from sessions.appointments.models import Appointment
from sessions.appointments.services.booking import (
    Customer,
    Origin,
    book_appointment,
    cancel_appointment,
    move_appointment,
)
from sessions.appointments.services.undoing import undo_change
from sessions.calls.models import Call
from sessions.messages.models import OutboxMessage
from sessions.messages.texts.kinds import TextKind
from sessions.messages.texts.models import Text, TextSettings, TextState
from sessions.messages.texts.reasons import TextReason
from sessions.messages.texts.services.sending import send_text
from sessions.moves import HELD_FOR
from sessions.tests.builders import make_garage
from telephony.twilio.models import PhoneNumber

pytestmark = pytest.mark.django_db
K = TextKind
CALLER = "+4915112345678"
# What the caller says is no number to text.
ADA = Customer("Ada", "+4915199999999", "VW Golf", "")
ONE_DAY = dt.timedelta(days=1)


@pytest.fixture
def garage(settings: Settings) -> tuple[Organization, Call]:
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = "AC" + "1" * 32, "token"
    settings.TWILIO_BASE_URL = "http://127.0.0.1:9"
    organization, call = make_garage()
    PhoneNumber.objects.create(organization=organization, number="+4930123456")
    Call.objects.update(caller_number=CALLER)
    call.refresh_from_db()
    return organization, call


def a_start(garage: tuple[Organization, Call], clock: str, *, in_days: int = 7) -> dt.datetime:
    """On the weekday that is at least so many days ahead."""
    date = timezone.now().astimezone(garage[0].zone).date() + in_days * ONE_DAY
    while date.weekday() > 4:
        date += ONE_DAY
    return dt.datetime.combine(date, dt.time.fromisoformat(clock), garage[0].zone).astimezone(dt.UTC)


def book(garage: tuple[Organization, Call], start: dt.datetime, *, call: Call | None = None) -> Appointment:
    service = Service.objects.get(organization=garage[0], name="Oil change")
    return book_appointment(service, start, ADA, Origin(call=call, draft_version=1 if call else None))


def texts(kind: TextKind) -> list[Text]:
    return list(Text.objects.filter(kind=kind).order_by("created_at"))


def test_a_booking_by_phone_is_confirmed_to_the_number_that_called(garage: tuple[Organization, Call]) -> None:
    start = a_start(garage, "09:00")
    book(garage, start, call=garage[1])
    (text,) = texts(K.APPOINTMENT_CONFIRMATION)
    assert (text.number, text.state, text.call) == (CALLER, TextState.WAITING, garage[1])
    local = start.astimezone(garage[0].zone)
    assert text.body == (
        f"Alice Garage: Your appointment is booked: Oil change, {local:%A, %B} {local.day}, 9:00 AM. "
        "Changes? Call +49 30 123456."
    )


def test_a_booking_by_an_operator_is_confirmed_to_the_number_that_was_entered(
    garage: tuple[Organization, Call],
) -> None:
    book(garage, a_start(garage, "09:00"))
    assert [text.number for text in texts(K.APPOINTMENT_CONFIRMATION)] == [ADA.number]


def test_moving_and_canceling_are_confirmed(garage: tuple[Organization, Call]) -> None:
    appointment = book(garage, a_start(garage, "09:00"), call=garage[1])
    move_appointment(appointment, a_start(garage, "10:00"), Origin(person="alice"))
    (moved,) = texts(K.APPOINTMENT_MOVED)
    assert "10:00 AM" in moved.body
    assert moved.number == CALLER
    cancel_appointment(appointment, Origin(call=garage[1]))
    (canceled,) = texts(K.APPOINTMENT_CANCELED)
    assert "was canceled: Oil change" in canceled.body


def test_what_is_undone_in_time_is_not_told(garage: tuple[Organization, Call]) -> None:
    appointment = book(garage, a_start(garage, "09:00"), call=garage[1])
    move_appointment(appointment, a_start(garage, "10:00"), Origin(person="alice"))
    (first,) = texts(K.APPOINTMENT_MOVED)
    assert first.due_at - first.created_at >= HELD_FOR * 0.9
    cancel_appointment(appointment, Origin(person="alice"), reason="Ill")
    undo_change(appointment, event_id=appointment.events.latest("id").pk)
    # The cancellation was not sent, and so neither is its undo; the move before it still is.
    (canceled,) = texts(K.APPOINTMENT_CANCELED)
    assert (canceled.state, canceled.reason) == (TextState.NOT_SENT, TextReason.CHANGED)
    assert len(texts(K.APPOINTMENT_CONFIRMATION)) == 1
    assert [text.state for text in texts(K.APPOINTMENT_MOVED)] == [TextState.WAITING]
    assert [text.state for text in texts(K.APPOINTMENT_REMINDER)][-1] == TextState.WAITING
    # Once the customer was notified, the undo is sent as well.
    cancel_appointment(appointment, Origin(person="alice"), reason="Ill")
    Text.objects.filter(kind=K.APPOINTMENT_CANCELED).update(state=TextState.SENT)
    undo_change(appointment, event_id=appointment.events.latest("id").pk)
    assert len(texts(K.APPOINTMENT_CONFIRMATION)) == 2


def test_a_reminder_is_planned_a_day_before(garage: tuple[Organization, Call]) -> None:
    start = a_start(garage, "10:00")
    book(garage, start, call=garage[1])
    (text,) = texts(K.APPOINTMENT_REMINDER)
    assert text.due_at == start - ONE_DAY
    message = OutboxMessage.objects.get(body__textId=str(text.pk))
    assert abs(message.due_at - text.due_at) < dt.timedelta(seconds=5)


def test_a_reminder_waits_until_the_quiet_hours_are_over(garage: tuple[Organization, Call]) -> None:
    TextSettings.objects.create(organization=garage[0], quiet_until=dt.time(10))
    start = a_start(garage, "09:00")
    book(garage, start, call=garage[1])
    (text,) = texts(K.APPOINTMENT_REMINDER)
    assert text.due_at.astimezone(garage[0].zone).time() == dt.time(10)
    assert start - ONE_DAY < text.due_at < start


@pytest.mark.parametrize("hours", [0, 24 * 13])
def test_no_reminder_is_planned_where_none_is_wanted_or_left(garage: tuple[Organization, Call], hours: int) -> None:
    TextSettings.objects.create(organization=garage[0], reminder_hours=hours)
    book(garage, a_start(garage, "10:00"), call=garage[1])
    assert texts(K.APPOINTMENT_REMINDER) == []
    assert len(texts(K.APPOINTMENT_CONFIRMATION)) == 1


def test_moved_there_and_back_the_reminder_is_planned_once(garage: tuple[Organization, Call]) -> None:
    first, second = a_start(garage, "10:00"), a_start(garage, "11:00")
    appointment = book(garage, first, call=garage[1])
    move_appointment(appointment, second, Origin(person="alice"))
    old, new = texts(K.APPOINTMENT_REMINDER)
    assert (old.state, old.reason) == (TextState.NOT_SENT, TextReason.CHANGED)
    assert (new.state, new.due_at) == (TextState.WAITING, second - ONE_DAY)
    move_appointment(appointment, first, Origin(person="alice"))
    old, new = texts(K.APPOINTMENT_REMINDER)
    assert (old.state, old.due_at) == (TextState.WAITING, first - ONE_DAY)
    assert new.state == TextState.NOT_SENT


def test_a_canceled_appointment_is_not_reminded_of(garage: tuple[Organization, Call]) -> None:
    appointment = book(garage, a_start(garage, "10:00"), call=garage[1])
    cancel_appointment(appointment, Origin(person="alice"))
    (text,) = texts(K.APPOINTMENT_REMINDER)
    assert (text.state, text.reason) == (TextState.NOT_SENT, TextReason.CHANGED)


@pytest.mark.parametrize("change", [{"state": "canceled"}, {"starts_at": F("starts_at") + dt.timedelta(minutes=5)}])
def test_what_is_no_longer_true_is_not_sent(garage: tuple[Organization, Call], change: dict[str, object]) -> None:
    book(garage, a_start(garage, "10:00"), call=garage[1])
    Appointment.objects.update(**change)  # behind the back of what withdraws reminders
    for text in (*texts(K.APPOINTMENT_REMINDER), *texts(K.APPOINTMENT_CONFIRMATION)):
        send_text(OutboxMessage.objects.get(body__textId=str(text.pk)))
        text.refresh_from_db()
        assert (text.state, text.reason) == (TextState.NOT_SENT, TextReason.CHANGED)


def test_a_reminder_whose_turn_comes_in_quiet_hours_waits(garage: tuple[Organization, Call]) -> None:
    book(garage, a_start(garage, "10:00"), call=garage[1])
    local = timezone.now().astimezone(garage[0].zone)
    quiet = {
        "quiet_from": (local - dt.timedelta(hours=1)).time(),
        "quiet_until": (local + dt.timedelta(hours=1)).time(),
    }
    TextSettings.objects.create(organization=garage[0], **quiet)
    (text,) = texts(K.APPOINTMENT_REMINDER)
    send_text(OutboxMessage.objects.get(body__textId=str(text.pk)))
    text.refresh_from_db()
    assert text.state == TextState.WAITING
    assert dt.timedelta(minutes=55) < text.due_at - timezone.now() < dt.timedelta(minutes=65)
    assert OutboxMessage.objects.filter(body__textId=str(text.pk)).count() == 2


def test_confirmations_can_be_off(garage: tuple[Organization, Call]) -> None:
    TextSettings.objects.create(organization=garage[0], confirms_appointments=False)
    book(garage, a_start(garage, "10:00"), call=garage[1])
    assert texts(K.APPOINTMENT_CONFIRMATION) == []
    assert len(texts(K.APPOINTMENT_REMINDER)) == 1


def test_a_landline_gets_one_reason_and_no_reminder(garage: tuple[Organization, Call]) -> None:
    Call.objects.update(caller_number="+4930999999")
    garage[1].refresh_from_db()
    book(garage, a_start(garage, "10:00"), call=garage[1])
    assert [text.reason for text in Text.objects.all()] == [TextReason.LANDLINE]
