"""Which request of a tool is a repeat, which is another one, and which comes too late to be done."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection, connections, transaction
from pytest_django import Settings

from agents.delivery.models import DeliverySettings
from agents.transfers.models import TransferTarget
from sessions.calls.models import Call, ToolCall
from sessions.messages.texts.models import TextSettings
from sessions.orders.models import DraftOrder, Order
from sessions.tests.builders import Phone, make_call, make_restaurant
from sessions.tools.registry import READING_TOOLS, TOOLS
from sessions.tools.services import LONGEST_KEY, TOO_LATE, run_tool
from sessions.tools.tool import Answer, ToolRequest
from telephony.twilio.models import PhoneNumber


def change(call: Call, tool_call_id: str, item: str, *, turns: int = 1, **more: Any) -> dict[str, Any]:
    arguments = json.dumps({"changes": [{"do": "add", "item": item}]})
    result = run_tool(
        call.pk, name="change_order", arguments=arguments, tool_call_id=tool_call_id, caller_turns=turns, **more
    )
    output: dict[str, Any] = json.loads(result.output)
    return output


def ordered(call: Call) -> list[tuple[str, int]]:
    draft = DraftOrder.objects.filter(call=call).first()
    return [(line["item"], line["quantity"]) for line in draft.lines] if draft else []


# Repeats and requests


@pytest.mark.django_db
def test_one_id_with_other_arguments_is_another_request() -> None:
    _, call = make_restaurant()
    assert change(call, "call_1", "Margherita")["ok"]
    assert change(call, "call_1", "Tiramisu")["ok"]
    assert [name for name, _ in ordered(call)] == ["Margherita", "Tiramisu"]
    assert ToolCall.objects.count() == 2


@pytest.mark.django_db
def test_one_id_with_another_tool_is_another_request() -> None:
    _, call = make_restaurant()
    phone = Phone(call.pk)
    phone.add("Margherita")
    read_back = phone.use("read_back_order", tool_call_id="call_1")
    hours = phone.use("get_opening_hours", tool_call_id="call_1")
    assert read_back["say"] != hours["say"]


@pytest.mark.django_db
def test_one_id_in_a_later_turn_is_another_request() -> None:
    _, call = make_restaurant()
    for turn in (1, 2):
        change(call, "call_1", "Tiramisu", turns=turn)
    assert ordered(call) == [("Tiramisu", 2)]


@pytest.mark.django_db
def test_each_of_many_requests_with_one_id_is_known_again() -> None:
    _, call = make_restaurant()
    first = [change(call, "1", "Tiramisu", turns=turn) for turn in range(1, 5)]
    again = [change(call, "1", "Tiramisu", turns=turn) for turn in range(1, 5)]
    assert again == first
    assert ordered(call) == [("Tiramisu", 4)]


@pytest.mark.django_db
def test_the_same_id_in_another_call_is_another_request() -> None:
    _, call = make_restaurant()
    assert call.agent is not None
    other = make_call(call.agent)
    for each in (call, other):
        change(each, "call_1", "Tiramisu")
    assert ordered(call) == ordered(other) == [("Tiramisu", 1)]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("one", "other"), [("x" * 100 + "1", "x" * 100 + "2"), ("a\0", "a "), ("call\n1", "call 1"), ("", " ")]
)
def test_ids_that_look_alike_once_they_are_stored_are_different(one: str, other: str) -> None:
    _, call = make_restaurant()
    change(call, one, "Tiramisu")
    change(call, other, "Tiramisu")
    change(call, other, "Tiramisu")
    assert ordered(call) == [("Tiramisu", 2)]
    assert all(len(key) <= LONGEST_KEY for key in ToolCall.objects.values_list("tool_call_id", flat=True))


# Too late


@pytest.mark.django_db
def test_a_tool_call_that_is_not_waited_for_any_more_is_not_begun() -> None:
    _, call = make_restaurant()
    late = change(call, "call_1", "Tiramisu", not_after=time.monotonic() - 0.001)
    assert late == {"ok": False, "say": TOO_LATE}
    assert ordered(call) == []
    assert not ToolCall.objects.exists()


@pytest.mark.django_db
def test_a_tool_that_was_too_slow_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    _, call = make_restaurant()

    real = TOOLS["change_order"]

    def slow(request: ToolRequest[Any]) -> Answer:
        answer = real.run(request)
        time.sleep(0.2)
        return answer

    monkeypatch.setitem(TOOLS, "change_order", replace(real, run=slow))
    assert change(call, "call_1", "Tiramisu", not_after=time.monotonic() + 0.1) == {"ok": False, "say": TOO_LATE}
    assert ordered(call) == []
    assert not ToolCall.objects.exists()
    monkeypatch.undo()
    assert change(call, "call_1", "Tiramisu", not_after=time.monotonic() + 10)["ok"]


@pytest.mark.django_db(transaction=True)
def test_an_order_that_was_given_up_is_not_placed_when_the_database_comes_back() -> None:
    _, call = make_restaurant()
    phone = Phone(call.pk)
    phone.add("Tiramisu")
    phone.use("read_back_order")
    phone.speaks()
    with locked_draft(call):
        outcome = in_a_thread(
            lambda: run_tool(
                call.pk, name="submit_order", arguments="{}", tool_call_id="s", caller_turns=2,
                not_after=time.monotonic() + 0.3,
            ).output
        )  # fmt: skip
        time.sleep(0.6)
    assert json.loads(outcome())["ok"] is False
    assert not Order.objects.exists()
    assert phone.use("submit_order", tool_call_id="s")["ok"]


# Tools that only read


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(TOOLS))
def test_a_tool_changes_something_exactly_where_it_says_so(name: str, settings: Settings) -> None:
    organization, call = make_restaurant()
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = "AC" + "1" * 32, "token"
    PhoneNumber.objects.create(organization=organization, number="+4930123456")
    TextSettings.objects.create(organization=organization, menu_url="https://alice.example.com/menu")
    TransferTarget.objects.create(
        organization=organization, name="Front desk", slug="front-desk", number="+493012345678", when_to_use="always"
    )
    DeliverySettings.objects.create(organization=organization).zones.create(name="Near", postcodes="10115")
    phone = Phone(call.pk)
    phone.add("Margherita")
    phone.use("read_back_order")
    phone.speaks()
    arguments: dict[str, dict[str, Any]] = {
        "change_order": {"changes": [{"do": "add", "item": "Tiramisu"}]},
        "transfer_call": {"target": "front-desk"},
        "look_up_items": {"query": "pizza"},
        "usual_order": {"do": "forget"},
        "choose_delivery": {"how": "delivery", "postcode": "10115", "street": "12 Main Street"},
        "send_text": {"about": "menu"},
    }
    written: list[str] = []

    def watch(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        is_record = '"voice_sessions_toolcall"' in sql or 'SET "topics"' in sql
        if sql.split(maxsplit=1)[0] in {"INSERT", "UPDATE", "DELETE"} and not is_record:
            written.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        assert phone.use(name, **arguments.get(name, {}))["ok"]
    ends_something = phone.results[-1].then is not None
    assert (name not in READING_TOOLS) == bool(written or ends_something)


@contextmanager
def locked_draft(call: Call) -> Iterator[None]:
    """Another transaction holds what a submission needs."""
    begun, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            DraftOrder.objects.select_for_update().get(call=call)
            begun.set()
            may_end.wait(10)
        connections.close_all()

    thread = threading.Thread(target=hold)
    thread.start()
    begun.wait(5)
    try:
        yield
    finally:
        may_end.set()
        thread.join(10)


def in_a_thread(work: Callable[[], str]) -> Callable[[], str]:
    """Begin it; what is returned waits for its result."""
    results: list[str] = []

    def do() -> None:
        try:
            results.append(work())
        finally:
            connections.close_all()

    thread = threading.Thread(target=do)
    thread.start()

    def result() -> str:
        thread.join(15)
        return results[0]

    return result
