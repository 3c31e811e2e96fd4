"""Each line of an order keeps the second at which it was said: looked up when the call is over, and again when a line
of the transcript comes late."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.utils import timezone

from agents.catalog.models import Item
from sessions.appointments.models import Appointment
from sessions.calls.end_reasons import EndReason
from sessions.calls.facts import LineSpoken, Speaker, TurnAnswered
from sessions.calls.models import Call
from sessions.calls.services import LAST_LINES_WITHIN, SAID_TOPIC, finish_call, record_facts
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from sessions.orders.models import OrderLine
from sessions.tests.builders import Phone, make_garage, make_restaurant

pytestmark = pytest.mark.django_db


def said(number: int, text: str, at_ms: int, turn: int) -> LineSpoken:
    return LineSpoken(f"item_{number}", Speaker.CALLER, text, at_ms, turn)


def worker_runs() -> None:
    """After the time that late lines have."""
    with time_machine.travel(timezone.now() + LAST_LINES_WITHIN + dt.timedelta(seconds=1)):
        outbox.process_due([SAID_TOPIC])


def heard() -> dict[str, int | None]:
    return dict(OrderLine.objects.values_list("item", "said_at_ms"))


@pytest.fixture
def call() -> Call:
    return make_restaurant()[1]


@pytest.fixture
def ordered(call: Call) -> Phone:
    phone = Phone(call.pk)
    phone.add("Funghi", size="small")
    phone.speaks()
    phone.add("Tiramisu")
    phone.use("change_order", changes=[{"do": "update", "line": 1, "quantity": 2}])
    phone.speaks()
    assert phone.agrees()["ok"]
    return phone


def test_the_lines_of_an_order_are_found_when_the_call_is_over(call: Call, ordered: Phone) -> None:
    record_facts(
        call.pk,
        [
            said(1, "A small funghi", 3_000, 1),
            TurnAnswered(1, 4_400, 900, None, None, None),
            said(2, "and a tiramisu", 9_000, 2),
            said(3, "Two funghi please", 12_000, 3),
        ],
    )
    assert heard() == {"Funghi": None, "Tiramisu": None}
    finish_call(call.pk, reason=EndReason.CALLER_HUNG_UP)
    worker_runs()
    assert heard() == {"Funghi": 3_800, "Tiramisu": 9_000 + 6 * 62}


def test_a_line_that_comes_after_the_end_is_found_too(call: Call, ordered: Phone) -> None:
    finish_call(call.pk, reason=EndReason.CALLER_HUNG_UP)
    worker_runs()
    assert heard() == {"Funghi": None, "Tiramisu": None}
    for _ in range(2):  # the same report twice
        record_facts(call.pk, [said(1, "funghi", 3_000, 1), said(2, "tiramisu", 9_000, 2)])
        worker_runs()
        assert heard() == {"Funghi": 3_000, "Tiramisu": 9_000}


def test_an_item_is_known_by_its_other_names_and_after_it_is_gone(call: Call) -> None:
    phone = Phone(call.pk)
    phone.add("plain pizza", size="small")
    phone.speaks()
    phone.agrees()
    record_facts(call.pk, [said(1, "one plain pizza", 1_000, 1)])
    finish_call(call.pk, reason=EndReason.CALLER_HUNG_UP)
    worker_runs()
    assert heard() == {"Margherita": 1_000 + 4 * 62}
    Item.objects.all().delete()
    record_facts(call.pk, [said(1, "one margherita", 1_000, 1)])
    worker_runs()
    assert heard() == {"Margherita": 1_000 + 4 * 62}


def test_a_line_that_becomes_another_item_was_said_then(call: Call) -> None:
    phone = Phone(call.pk)
    phone.add("Funghi", size="small")
    phone.speaks()
    phone.use("change_order", changes=[{"do": "update", "line": 1, "item": "Margherita"}])
    phone.speaks()
    phone.agrees()
    assert list(OrderLine.objects.values_list("item", "said_turn")) == [("Margherita", 2)]


def test_a_call_without_an_order_leaves_nothing_to_look_up(call: Call) -> None:
    finish_call(call.pk, reason=EndReason.CALLER_HUNG_UP)
    assert not OutboxMessage.objects.filter(topic=SAID_TOPIC).exists()


def test_an_appointment_is_found_by_the_words_for_its_time() -> None:
    with time_machine.travel(dt.datetime(2026, 12, 1, 9, 0, tzinfo=dt.UTC)):
        call = make_garage()[1]
        phone = Phone(call.pk)
        phone.use("find_appointment_times", service="Oil change", when="friday at ten")
        phone.speaks()
        phone.use("choose_appointment", service="Oil change", time="2026-12-04 10:00", customer_name="Sarah")
        phone.use("read_back_appointment")
        phone.speaks()
        assert phone.use("book_appointment")["ok"]
        record_facts(
            call.pk,
            [
                said(1, "I need an oil change on friday at ten", 2_000, 1),
                said(2, "That would be good", 9_000, 2),
                said(3, "Yes", 15_000, 3),
            ],
        )
        finish_call(call.pk, reason=EndReason.CALLER_HUNG_UP)
        worker_runs()
    appointment = Appointment.objects.get()
    assert (appointment.said_turn, appointment.said_at_ms) == (2, 2_000 + 24 * 62)
    assert appointment.version == 1
