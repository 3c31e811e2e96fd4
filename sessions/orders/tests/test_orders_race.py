"""Threads that race on a real database: exactly one order, numbers without gaps, counts never below zero."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest
from django.db import connection

from agents.catalog.models import Item
from sessions.calls.models import ToolCall
from sessions.messages.models import OutboxMessage
from sessions.orders.models import DraftOrder, Order
from sessions.tests.builders import Phone, make_call, make_restaurant

pytestmark = pytest.mark.django_db(transaction=True)

T = TypeVar("T")


def race(racers: list[Callable[[], T]]) -> list[T]:
    """What each returned, all started at the same time on connections of their own."""
    start = threading.Barrier(len(racers))

    def run(racer: Callable[[], T]) -> T:
        try:
            start.wait(timeout=10)
            return racer()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(racers)) as pool:
        return [future.result(timeout=60) for future in [pool.submit(run, racer) for racer in racers]]


def ready_phone(call_id: Any, item: str = "Margherita") -> Phone:
    """A caller who has agreed to the order that was read back."""
    phone = Phone(call_id)
    assert phone.add(item)["ok"]
    assert phone.use("read_back_order")["ok"]
    phone.speaks()
    return phone


@pytest.mark.parametrize("repetition", range(3))
def test_however_often_it_is_submitted_at_once_there_is_one_order(repetition: int) -> None:
    _, call = make_restaurant()
    phone = ready_phone(call.pk)
    answers = race([lambda: phone.use("submit_order")] * 8)
    said = {answer["say"] for answer in answers if answer["ok"]}
    assert said == {"Your order number 1 is placed. The total is 10 euros 45."}
    assert Order.objects.count() == OutboxMessage.objects.count() == 1


def test_one_request_repeated_at_once_is_carried_out_once() -> None:
    _, call = make_restaurant()
    phone = Phone(call.pk)
    changes = [{"do": "add", "item": "Tiramisu"}]
    answers = race([lambda: phone.use("change_order", tool_call_id="call_same", changes=changes)] * 8)
    assert {answer["order"]["version"] for answer in answers if answer["ok"]} == {1}
    assert DraftOrder.objects.get().lines[0]["quantity"] == 1
    assert ToolCall.objects.count() == 1


def test_changes_at_once_are_all_kept() -> None:
    _, call = make_restaurant()
    phone = Phone(call.pk)
    answers = race([lambda: phone.add("Tiramisu")] * 6)
    done = sum(answer["ok"] for answer in answers)
    draft = DraftOrder.objects.get()
    assert done >= 1
    assert (draft.lines[0]["quantity"], draft.version) == (done, done)


def test_the_last_ones_are_sold_once_and_numbers_have_no_gaps() -> None:
    organization, call = make_restaurant()
    agent = call.agent
    assert agent is not None
    Item.objects.filter(name="Tiramisu").update(count_left=3)
    phones = [ready_phone(make_call(agent).pk, "Tiramisu") for _ in range(6)]
    answers = race([lambda phone=phone: phone.use("submit_order") for phone in phones])  # type: ignore[misc]
    assert sum(answer["ok"] for answer in answers) == 3
    assert Item.objects.get(name="Tiramisu").count_left == 0
    assert sorted(organization.orders.values_list("number", flat=True)) == [1, 2, 3]


def test_a_change_racing_a_submission_never_splits_an_order() -> None:
    _, call = make_restaurant()
    phone = ready_phone(call.pk)
    submitted, changed = race([lambda: phone.use("submit_order"), lambda: phone.add("Tiramisu")])
    orders = list(Order.objects.all())
    assert changed["ok"]
    assert len(orders) == submitted["ok"]
    for order in orders:
        assert [line.item for line in order.lines.all()] == ["Margherita"]


def test_replacing_orders_of_two_calls_crosswise_does_not_deadlock() -> None:
    _, call = make_restaurant()
    agent = call.agent
    assert agent is not None
    Item.objects.filter(name__in=["Tiramisu", "Panna cotta"]).update(count_left=50)
    first, second = make_call(agent).pk, make_call(agent).pk
    phones = [ready_phone(first, "Tiramisu"), ready_phone(second, "Panna cotta")]
    for phone, other in zip(phones, ["Panna cotta", "Tiramisu"], strict=True):
        phone.use("submit_order")
        phone.use("change_order", changes=[{"do": "clear"}, {"do": "add", "item": other, "quantity": 2}])
        phone.use("read_back_order")
        phone.speaks()
    answers = race([lambda phone=phone: phone.use("submit_order") for phone in phones])  # type: ignore[misc]
    assert all(answer["ok"] for answer in answers)
    assert {item.name: item.count_left for item in Item.objects.filter(count_left__isnull=False)} == {
        "Tiramisu": 48,
        "Panna cotta": 48,
    }
