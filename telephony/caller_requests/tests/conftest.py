"""A caller who left a voicemail, ordered, booked and was texted; Twilio simulated."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from agents.organizations.models import Organization
from agents.tests.builders import make_organization, make_user
from recordings.files import store_file
from recordings.models import Recording
from recordings.tests.places import in_bucket, on_disk, stored_keys
from sessions.appointments.models import Appointment
from sessions.calls.models import Call, CallState, ToolCall, TranscriptLine
from sessions.messages.models import OutboxMessage
from sessions.messages.texts.models import OptOut, Text, TextState
from sessions.orders.models import Order, OrderLine
from telephony.caller_requests.models import CallerRequest
from telephony.twilio.tests.conftest import own_account, serving_process
from telephony.twilio.voicemail.models import Voicemail
from telephony.twilio.voicemail.tests.conftest import carrier, keep, no_worker, silent, twilio_process
from voiceapp.simulators.twilio.tests.running import RunningTwilio

__all__ = [
    "carrier", "in_bucket", "no_worker", "on_disk", "own_account", "serving_process", "stored_keys", "twilio_process",
]  # fmt: skip

NUMBER, OTHER = "+4917655501234", "+4917655509876"
# Said and entered by the caller, and by nobody else.
NAME, WORD, CAR, PLACE = "Zebulon", "xylophone", "Quetzalmobil", "Ypsilonstreet"
SIGNS = (NUMBER, NUMBER[1:], "017655501234", NAME, WORD, CAR, PLACE)


def make_caller(organization: Organization, number: str, sid: str, carrier: RunningTwilio, *, signs: bool) -> Call:
    """Everything that can be kept of one; with `signs` it has the words above."""
    name, word, car, place = (NAME, WORD, CAR, PLACE) if signs else ("Somebody", "piano", "Car", "Street")
    now = timezone.now()
    call = Call.objects.create(
        organization=organization, state=CallState.COMPLETED, caller_number=number, carrier_sid=sid,
        connected_at=now, ended_at=now, metadata={"note": word},
    )  # fmt: skip
    for at, text in enumerate((f"I am {name}, {number}.", f"The {word} in {place}.")):
        TranscriptLine.objects.create(call=call, item_id=str(at), speaker="caller", text=text, spoken_at_ms=at * 1000)
    ToolCall.objects.create(
        call=call, tool_call_id="1", name="submit_order", arguments={"customer_name": name}, outcome="done", at=now
    )
    kept = keep(carrier, silent(0.1), call_sid=sid)
    key = f"recordings/{sid}.ogg"
    Recording.objects.create(
        call=call, source=Recording.Source.TWILIO, external_id=kept, state=Recording.State.STORED, key=key,
        bucket=store_file(key, b"OggS" + word.encode(), file_type="ogg"), size_bytes=4, transcript=f"The {word}.",
    )  # fmt: skip
    Voicemail.objects.create(
        call=call, recording_sid=keep(carrier, silent(0.1), call_sid=sid), why="closed", transcript=f"{name}: {word}"
    )
    order = Order.objects.create(
        organization=organization, call=call, number=organization.orders.count() + 1, currency="EUR", subtotal=1,
        tax=0, total=1, customer_name=name, customer_number=number, note=place,
    )  # fmt: skip
    OrderLine.objects.create(order=order, position=1, item="Margherita", quantity=1, unit_price=1, price=1, note=word)
    OutboxMessage.objects.create(
        organization=organization, topic="webhook", event="order.submitted", about=f"order:{order.pk}",
        body={"data": {"customerName": name, "customerNumber": number, "lines": [{"note": word}]}},
    )  # fmt: skip
    Appointment.objects.create(
        organization=organization, call=call, number=organization.appointments.count() + 1, service_name="Brakes",
        currency="EUR", starts_at=now, ends_at=now + dt.timedelta(hours=1), customer_name=name, vehicle=car,
        customer_number=number, note=place, made_by="Host",
    )  # fmt: skip
    Text.objects.create(
        organization=organization, number=number, body=f"Dear {name}", key=f"text {sid}", state=TextState.DELIVERED,
        due_at=now,
    )  # fmt: skip
    OptOut.objects.create(organization=organization, number=number)
    LogEntry.objects.create(
        user=make_user(f"alice {sid[-1]}"), content_type=ContentType.objects.get_for_model(Order), action_flag=CHANGE,
        object_id=str(order.pk), object_repr="Order", change_message=f"Name: nothing → {name}.",
    )  # fmt: skip
    return call


@pytest.fixture
def harbour(db: None) -> Organization:
    return make_organization("Harbour", country="DE")


@pytest.fixture
def call(harbour: Organization, carrier: RunningTwilio, on_disk: Path) -> Call:
    return make_caller(harbour, NUMBER, "CA" + "1" * 32, carrier, signs=True)


@pytest.fixture
def others_call(harbour: Organization, carrier: RunningTwilio, on_disk: Path) -> Call:
    return make_caller(harbour, OTHER, "CA" + "2" * 32, carrier, signs=False)


@pytest.fixture
def request_of_caller(harbour: Organization, call: Call) -> CallerRequest:
    return CallerRequest.objects.create(organization=harbour, number=NUMBER, requested_by="alice")
