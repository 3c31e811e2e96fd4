"""Tools in the model's order over real sockets, a real database and all threads of the executor."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import Settings

from agents.catalog.models import Category, Item, Menu
from agents.configuration.models import Agent
from agents.configuration.services import publish_agent
from sessions.calls.models import Call, ToolCall, TranscriptLine
from sessions.orders.models import DraftOrder
from sessions.tools.services import run_tool
from telephony.live import gateway as gateways
from telephony.twilio.models import PhoneNumber
from voiceapp.simulators.openai import tools_fault

from .conftest import Provider, call_of, comes_true, end_of, in_a_thread, kinds_of
from .handset import Handset

pytestmark = [pytest.mark.asyncio, pytest.mark.waits]

REPETITIONS = 8


def change(*changes: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return "change_order", {"changes": list(changes)}


def add(item: str) -> tuple[str, dict[str, Any]]:
    return change({"do": "add", "item": item})


FIVE_CALLS = [
    add("Margherita"),
    add("Funghi"),
    change({"do": "update", "line": 1, "quantity": 3}),
    change({"do": "remove", "line": 2}),
    ("read_back_order", {}),
]


@pytest.fixture
def line(line: PhoneNumber) -> PhoneNumber:
    """The restaurant's menu, of which every tool may be used."""
    organization = line.organization
    organization.takes_orders = True
    organization.save()
    category = Category.objects.create(menu=Menu.objects.create(organization=organization), name="Pizza")
    for name in ("Margherita", "Funghi", "Tiramisu"):
        Item.objects.create(category=category, name=name, price=8)
    agent = Agent.objects.get(organization=organization)
    agent.tools = ["look_up_items", "change_order", "read_back_order", "submit_order", "get_opening_hours"]
    agent.save()
    publish_agent(agent, by="alice")
    return line


async def drafted(call: Call) -> list[tuple[str, int]]:
    draft = await DraftOrder.objects.filter(call=call).afirst()
    return [(each["item"], each["quantity"]) for each in draft.lines] if draft else []


async def used(call: Call, count: int, *, within_s: float = 15) -> list[ToolCall]:
    """The tools of the call once there are so many, in the order in which they were done."""
    async with asyncio.timeout(within_s):
        while await ToolCall.objects.filter(call=call).acount() < count:
            await asyncio.sleep(0.03)
    return [each async for each in ToolCall.objects.filter(call=call).order_by("id")]


async def lines_of_the_agent(call: Call, count: int, *, within_s: float = 15) -> None:
    async with asyncio.timeout(within_s):
        while await TranscriptLine.objects.filter(call=call, speaker="agent").acount() < count:
            await asyncio.sleep(0.03)


async def has_answered(handset: Handset, kind: str, *, within_s: float) -> bool:
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if kind in await kinds_of(handset):
            return True
        await asyncio.sleep(0.05)
    return False


@pytest.mark.parametrize("faults", [(), ("count_ids",)], ids=["random ids", "counted ids"])
async def test_five_calls_of_one_response_make_the_order_that_the_model_meant(
    new_handset: Callable[[], Handset], openai: Provider, settings: Settings, faults: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    waits = iter([0.05, 0.03, 0.02, 0.01, 0.0] * REPETITIONS)

    def the_first_are_the_slowest(*args: Any, **kwargs: Any) -> Any:
        time.sleep(next(waits))
        return run_tool(*args, **kwargs)

    monkeypatch.setattr(gateways, "run_tool", the_first_are_the_slowest)
    for _ in range(REPETITIONS):
        settings.OPENAI_BASE_URL = openai.url("deaf", tools_fault(FIVE_CALLS), *faults)
        handset = new_handset()
        await handset.dial()
        assert await handset.hears_something(within_s=8)
        await handset.press("1")
        call = await call_of(handset)

        tools = await used(call, 5)

        assert [(each.name, each.outcome) for each in tools] == [(name, "done") for name, _ in FIVE_CALLS]
        assert await drafted(call) == [("Margherita", 3)]
        await handset.hang_up()
        await end_of(handset)


async def test_tools_of_overlapping_responses_run_in_the_order_of_the_responses(
    handset: Handset, openai: Provider, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_go_on = threading.Event()
    running = 0
    most_running = 0
    count = threading.Lock()

    def slow(*args: Any, **kwargs: Any) -> Any:
        nonlocal running, most_running
        with count:
            running += 1
            most_running = max(most_running, running)
        may_go_on.wait(5)
        result = run_tool(*args, **kwargs)
        with count:
            running -= 1
        return result

    monkeypatch.setattr(gateways, "run_tool", slow)
    first, second = [add("Margherita"), add("Funghi")], [change({"do": "remove", "line": 1}), add("Tiramisu")]
    settings.OPENAI_BASE_URL = openai.url("deaf", "count_ids", tools_fault(first, second))
    await handset.dial()
    assert await handset.hears_something(within_s=8)
    await handset.press("1")
    await asyncio.sleep(0.3)
    await handset.press("2")  # another response while the tools of the first still run
    await asyncio.sleep(0.5)
    may_go_on.set()

    call = await call_of(handset)
    await used(call, 4)

    assert await drafted(call) == [("Funghi", 1), ("Tiramisu", 1)]
    assert most_running == 1
    await handset.hang_up()
    await end_of(handset)


async def test_what_only_reads_runs_beside_each_other_and_sees_the_changes_before_it(
    handset: Handset, openai: Provider, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = threading.Barrier(2, timeout=5)
    seen: list[str] = []

    def watched(*args: Any, **kwargs: Any) -> Any:
        seen.append(kwargs["name"])
        if kwargs["name"] == "look_up_items":
            both.wait()  # neither gets past it alone
        return run_tool(*args, **kwargs)

    monkeypatch.setattr(gateways, "run_tool", watched)
    look_up = ("look_up_items", {"query": "Margherita"})
    settings.OPENAI_BASE_URL = openai.url("deaf", tools_fault([add("Margherita"), look_up, look_up, add("Funghi")]))
    await handset.dial()
    assert await handset.hears_something(within_s=8)
    await handset.press("1")

    call = await call_of(handset)
    await used(call, 4)

    assert seen == ["change_order", "look_up_items", "look_up_items", "change_order"]
    assert not both.broken
    await handset.hang_up()
    await end_of(handset)


async def test_a_server_that_counts_its_calls_in_each_response_loses_none(
    handset: Handset, openai: Provider, settings: Settings
) -> None:
    settings.OPENAI_BASE_URL = openai.url("deaf", "count_ids", tools_fault(*[[add("Tiramisu")]] * 3))
    await handset.dial()
    assert await handset.hears_something(within_s=8)
    await handset.press(
        "1"
    )  # each output is followed by the next response, which repeats the request under the same id

    call = await call_of(handset)
    tools = await used(call, 3)

    assert await drafted(call) == [("Tiramisu", 3)]
    assert len({each.tool_call_id for each in tools}) == 3
    await handset.hang_up()
    await end_of(handset)


async def test_a_session_that_counts_from_the_beginning_after_a_reconnect_loses_and_overwrites_nothing(
    handset: Handset, openai: Provider, settings: Settings
) -> None:
    settings.OPENAI_BASE_URL = openai.url("deaf", "count_ids", tools_fault([add("Tiramisu")]))
    await handset.dial()
    assert await handset.hears_something(within_s=8)
    call = await call_of(handset)
    await handset.press("1")
    await used(call, 1)
    await lines_of_the_agent(call, 1)  # what followed the tool; the key cut the greeting before a word of it was heard

    await asyncio.to_thread(openai.drop_links)

    assert await has_answered(handset, "agent_resumed", within_s=8)
    for digit, tools, lines in (("2", 2, 2), ("3", 2, 3)):  # the new session repeats the requests under the same ids
        await handset.press(digit)
        await used(call, tools)
        await lines_of_the_agent(call, lines)
    assert await drafted(call) == [("Tiramisu", 2)]
    await handset.hang_up()
    await end_of(handset)


async def test_a_tool_that_hangs_gets_an_output_and_is_never_done_and_later_requests_are(
    handset: Handset, openai: Provider, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TOOL_TIMEOUT_S = 1
    has_come_back, results = threading.Event(), []

    def hangs_once(*args: Any, **kwargs: Any) -> Any:
        if not has_come_back.is_set() and "Margherita" in kwargs["arguments"]:
            time.sleep(2.5)
            results.append(run_tool(*args, **kwargs))
            has_come_back.set()
            return results[-1]
        return run_tool(*args, **kwargs)

    monkeypatch.setattr(gateways, "run_tool", hangs_once)
    script = tools_fault([add("Margherita"), add("Funghi"), ("get_opening_hours", {})], [add("Tiramisu")])
    settings.OPENAI_BASE_URL = openai.url("deaf", script)
    await handset.dial()
    assert await handset.hears_something(within_s=8)
    await handset.press("1")

    call = await call_of(handset)
    tools = await used(call, 2)

    assert [each.name for each in tools] == ["get_opening_hours", "change_order"]
    assert await in_a_thread(lambda: comes_true(has_come_back.is_set, 5))
    assert await has_answered(handset, "tool_ended_late", within_s=3)
    assert '"ok":false' in results[0].output
    assert await drafted(call) == [("Tiramisu", 1)]
    kinds = await kinds_of(handset)
    assert (kinds.count("tool_timed_out"), kinds.count("tool_not_run")) == (1, 1)
    await handset.hang_up()
    await end_of(handset)


async def test_tools_requested_before_the_caller_hung_up_are_run_in_order(
    handset: Handset, openai: Provider, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()

    def slow(*args: Any, **kwargs: Any) -> Any:
        begun.set()
        time.sleep(0.3)
        return run_tool(*args, **kwargs)

    monkeypatch.setattr(gateways, "run_tool", slow)
    settings.OPENAI_BASE_URL = openai.url("deaf", tools_fault(FIVE_CALLS))
    await handset.dial()
    assert await handset.hears_something(within_s=8)
    await handset.press("1")
    assert await in_a_thread(lambda: comes_true(begun.is_set, 5))

    await handset.hang_up()

    call = await call_of(handset)
    await used(call, 5)
    assert await drafted(call) == [("Margherita", 3)]
    await end_of(handset)
