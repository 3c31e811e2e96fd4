"""kill -9 at every point between the caller's yes and the kitchen's response: one order, delivered at least once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.utils import timezone

from agents.catalog.models import Item
from sessions.calls.models import Call
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from sessions.orders.models import Order
from sessions.tests.builders import Phone, make_call, make_restaurant
from voiceapp.tests.dying import Point, in_a_process_that_dies

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.waits]

ROUNDS = 3
# Where the process dies.
SUBMISSION: list[Point] = [
    ("sessions.tools.services", "_run_once", "before"),
    ("sessions.orders.services.submission", "lock_organization", "after"),
    ("sessions.orders.services.submission", "move_stock", "after"),
    ("sessions.orders.services.submission", "_write_line", "before"),
    ("sessions.orders.services.submission", "_write_line", "after"),
    ("sessions.orders.services.submission", "_announce", "after"),
    ("sessions.orders.services.submission", "place_order", "after"),
    ("sessions.tools.services", "_answer", "after"),
    ("sessions.tools.services", "_run_once", "after"),
]
RELAY: list[Point] = [
    ("voiceapp.core.jobs.engine:JobQueue", "_lease_next", "before"),
    ("voiceapp.core.jobs.engine:JobQueue", "_lease_next", "after"),
    ("voiceapp.core.jobs.engine:JobQueue", "_attempt", "before"),
    ("sessions.messages.tests.test_kill_points", "write_down", "after"),
    ("voiceapp.core.jobs.engine:JobQueue", "_attempt", "after"),
]


def write_down(path: Path, message: OutboxMessage) -> None:
    """The receiver: a file with a line per message that arrived."""
    with path.open("a") as file:
        file.write(json.dumps({"id": str(message.message_id), "number": message.body["data"]["number"]}) + "\n")


@pytest.fixture
def arrived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where what arrived is written down."""
    path = tmp_path / "arrived"
    path.touch()
    monkeypatch.setattr(outbox, "_handlers", {"webhook": lambda message: write_down(path, message)})
    return path


def agreed(call: Call) -> Phone:
    phone = Phone(call.pk)
    phone.add("Tiramisu")
    phone.use("read_back_order")
    phone.speaks()
    return phone


def recover_and_check(phones: list[Phone], arrived: Path, left: int) -> None:
    """What happens after a restart: the model repeats the call, leases expire, the outbox is processed."""
    for number, phone in enumerate(phones, 1):
        assert phone.use("submit_order")["order_number"] == number
    OutboxMessage.objects.update(lease_expires_at=None, due_at=timezone.now())
    outbox.process_due()
    assert Order.objects.count() == len(phones)
    assert Item.objects.get(name="Tiramisu").count_left == left
    messages = OutboxMessage.objects.all()
    assert {message.state for message in messages} == {OutboxMessage.State.DONE}
    deliveries = [json.loads(line) for line in arrived.read_text().splitlines()]
    assert {entry["id"] for entry in deliveries} == {str(message.message_id) for message in messages}
    assert sorted({entry["number"] for entry in deliveries}) == list(range(1, len(phones) + 1))
    assert len(deliveries) <= 2 * len(phones)


@pytest.mark.parametrize("point", SUBMISSION, ids="-".join)
def test_a_process_killed_while_submitting_leaves_an_order_whole_or_absent(point: Point, arrived: Path) -> None:
    _, call = make_restaurant()
    assert call.agent is not None
    Item.objects.filter(name="Tiramisu").update(count_left=9)
    phones = []
    for attempt in range(1, ROUNDS + 1):
        phone = agreed(make_call(call.agent))
        assert in_a_process_that_dies(lambda phone=phone: phone.use("submit_order"), point)  # type: ignore[misc]
        orders = Order.objects.filter(call_id=phone.call_id)
        assert orders.count() == OutboxMessage.objects.filter(partition_key__endswith=f"|call:{phone.call_id}").count()
        assert orders.count() == (1 if point[1:] == ("_run_once", "after") else 0)
        phones.append(phone)
        assert phone.use("submit_order")["order_number"] == attempt
    recover_and_check(phones, arrived, left=9 - ROUNDS)


@pytest.mark.parametrize("point", RELAY, ids="-".join)
def test_a_worker_killed_while_delivering_loses_no_message(point: Point, arrived: Path) -> None:
    _, call = make_restaurant()
    assert call.agent is not None
    Item.objects.filter(name="Tiramisu").update(count_left=9)
    phones = []
    for _ in range(ROUNDS):
        phones.append(agreed(make_call(call.agent)))
        assert phones[-1].use("submit_order")["ok"]
        assert in_a_process_that_dies(outbox.process_due, point)
    recover_and_check(phones, arrived, left=9 - ROUNDS)
