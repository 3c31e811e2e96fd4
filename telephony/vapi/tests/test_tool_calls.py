"""Tools that VAPI's model calls: the registry and the record of all calls, one result per call, always 200."""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from agents.configuration.models import AgentVersion
from agents.transfers.models import TransferTarget
from sessions.calls.models import Call, CallState, ToolCall, TranscriptLine
from sessions.calls.outcomes import refusal
from sessions.orders.models import Order
from sessions.tests.builders import make_call, make_restaurant
from sessions.tools import services
from sessions.tools.services import NOT_SAVED, run_tool
from telephony.events.models import ProviderEvent
from telephony.vapi import tool_calls as tools
from telephony.vapi.legs import open_leg
from telephony.vapi.models import SyncedAssistant, VapiLeg
from telephony.vapi.webhooks import vapi_threads

from .sender import VapiSender, artifact, tool_calls

pytestmark = pytest.mark.django_db(transaction=True)

PIZZA: dict[str, Any] = {"changes": [{"do": "add", "item": "Margherita", "size": "large", "quantity": 2}]}
HELLO = ("b: Hello! How can I help you?", "u: Two large Margheritas.")
READ = (*HELLO, "b: Two large Margheritas. Is that right?")
AGREED = (*READ, "u: Yes.")


def output(result: dict[str, Any]) -> dict[str, Any]:
    assert "error" not in result, result
    parsed: dict[str, Any] = json.loads(result["result"])
    return parsed


def only_output(response: httpx.Response) -> dict[str, Any]:
    """Of the only tool. The order of its fields is the database's where it was stored before."""
    (result,) = response.json()["results"]
    return output(result)


def test_an_order_is_taken_by_vapis_model(vapi: VapiSender, call: Call) -> None:
    changed = vapi.use("change_order", *HELLO, **PIZZA)
    assert output(changed)["order"]["lines"][0]["quantity"] == 2
    read = output(vapi.use("read_back_order", *HELLO))
    assert read["say"].startswith("I have two large Margheritas.")
    submitted = output(vapi.use("submit_order", *AGREED, customer_name="Ada"))
    assert submitted["say"].startswith("Your order number 1 is placed.")
    assert Order.objects.get().call == call
    assert set(ToolCall.objects.values_list("call", "outcome")) == {(call.pk, "done")}


def test_it_is_not_submitted_before_the_caller_has_answered(vapi: VapiSender) -> None:
    vapi.use("change_order", *HELLO, **PIZZA)
    vapi.use("read_back_order", *HELLO)
    for said in (HELLO, READ, (*HELLO, "u: Yes!")):
        refused = vapi.use("submit_order", *said)
        assert "error" in refused or not output(refused)["ok"]
    assert not Order.objects.exists()
    assert output(vapi.use("submit_order", *AGREED))["ok"]


@pytest.mark.parametrize("shape", ["object", "arguments", "parameters", "pairs", "toolCalls"])
def test_every_shape_of_arguments(vapi: VapiSender, shape: str) -> None:
    function = {"name": "change_order", "arguments": PIZZA}
    fields: dict[str, Any] = {
        "object": {"toolCallList": [{"id": "c1", "type": "function", "function": function}]},
        "arguments": {"toolCallList": [{"id": "c1", **function}]},
        "parameters": {"toolCallList": [{"id": "c1", "name": "change_order", "parameters": PIZZA}]},
        "pairs": {"toolWithToolCallList": [{"name": "change_order", "toolCall": {"id": "c1", "parameters": PIZZA}}]},
        "toolCalls": {"toolCalls": [{"id": "c1", "function": {**function, "arguments": json.dumps(PIZZA)}}]},
    }[shape]
    (result,) = vapi.send("tool-calls", **fields, **artifact(*HELLO)).json()["results"]
    assert (result["toolCallId"], result["name"], output(result)["ok"]) == ("c1", "change_order", True)


def test_the_legacy_function_call(vapi: VapiSender) -> None:
    message = vapi.message(
        "function-call", functionCall={"name": "change_order", "parameters": PIZZA}, **artifact(*HELLO)
    )
    responses = [vapi.post({"message": message}) for _ in range(2)]
    assert {response.status_code for response in responses} == {200}
    results = [json.loads(response.json()["result"]) for response in responses]
    assert results[0] == results[1]
    assert results[0]["order"]["lines"][0]["quantity"] == 2
    assert ToolCall.objects.count() == 1
    other = vapi.send("function-call", functionCall={"name": "moon", "parameters": {}})
    assert other.json() == {"result": "I cannot do that on this line."}


def test_results_are_single_lines_in_the_order_of_the_calls(vapi: VapiSender) -> None:
    results = vapi.use_all(
        [
            ("c1", "change_order", PIZZA),
            ("c2", "moon", {}),
            ("c3", "look_up_items", {"query": "pizza\nwith\nlines"}),
            ("c4", "read_back_order", {}),
        ],
        *HELLO,
    )
    assert [result["toolCallId"] for result in results] == ["c1", "c2", "c3", "c4"]
    assert [result["name"] for result in results] == ["change_order", "moon", "look_up_items", "read_back_order"]
    assert all("\n" not in (result.get("result") or result["error"]) for result in results)
    assert results[1]["error"] == "I cannot do that on this line."
    assert output(results[3])["ok"]


def test_a_repeated_message_does_nothing_and_is_answered_the_same(vapi: VapiSender) -> None:
    message = vapi.message("tool-calls", **tool_calls([("c1", "change_order", PIZZA)]), **artifact(*HELLO))
    with ThreadPoolExecutor(5) as threads:
        answers = list(threads.map(lambda _: only_output(vapi.post({"message": message})), range(5)))
    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["order"]["lines"][0]["quantity"] == 2
    assert ToolCall.objects.count() == 1
    assert ProviderEvent.objects.filter(kind="tool-calls", state="done").count() == 1


def test_an_order_is_submitted_once_however_often_it_is_requested(vapi: VapiSender) -> None:
    vapi.use("change_order", *HELLO, **PIZZA)
    vapi.use("read_back_order", *HELLO)
    message = vapi.message("tool-calls", **tool_calls([("c9", "submit_order", {})]), **artifact(*AGREED))
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: only_output(vapi.post({"message": message})), range(4)))
    assert all(answer == answers[0] for answer in answers)
    assert Order.objects.count() == 1


def test_what_a_parallel_request_has_saved_is_not_called_unsaved(
    vapi: VapiSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one holds the locks until this one has given up."""
    run = run_tool

    def lose(*args: Any, **kwargs: Any) -> Any:
        run(*args, **kwargs)
        return refusal(NOT_SAVED)

    monkeypatch.setattr(tools, "run_tool", lose)
    assert output(vapi.use("change_order", *HELLO, **PIZZA))["order"]["lines"][0]["quantity"] == 2


# What is not done, and what the model hears instead


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("moon", {}),
        ("change_order", {}),
        ("change_order", {"changes": "all"}),
        ("transfer_call", {}),
        ("transfer_call", {"target": "+4990012345"}),
        ("look_up_items", {"query": 5}),
    ],
)
def test_what_the_model_writes_wrongly_is_a_sentence(vapi: VapiSender, name: str, arguments: dict[str, Any]) -> None:
    (result,) = vapi.use_all([("c1", name, arguments)], *HELLO)
    assert result["toolCallId"] == "c1"
    assert len(result["error"]) > 5
    assert "{" not in result["error"]


@pytest.mark.parametrize(
    "arguments", ["{", "[]", "null", '{"a": NaN}', "[" * 20_000, '{"changes": "\\u0000"}', "x" * 20_000]
)
def test_arguments_that_are_no_object_are_a_sentence(vapi: VapiSender, arguments: str) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "change_order", "arguments": arguments}}
    (result,) = vapi.send("tool-calls", toolCallList=[call], **artifact(*HELLO)).json()["results"]
    assert result["error"]


@pytest.mark.parametrize("item", [None, 5, {}, {"id": "c1"}, {"id": 5, "name": "end_call"}, {"name": "end_call"}])
def test_a_call_without_an_id_or_a_name_is_not_run(vapi: VapiSender, item: Any) -> None:
    (result,) = vapi.send("tool-calls", toolCallList=[item], **artifact(*HELLO)).json()["results"]
    assert result["error"]
    assert not ToolCall.objects.exists()


def test_a_message_without_calls_has_no_results(vapi: VapiSender) -> None:
    shapes: list[dict[str, Any]] = [{}, {"toolCallList": []}, {"toolCallList": {"a": 1}}]
    for fields in shapes:
        assert vapi.send("tool-calls", **fields).json() == {"results": []}


@pytest.mark.parametrize("depth", [50, 500, 900, 940, 970, 985, 2000])
def test_arguments_nested_without_end_are_a_sentence_or_refused(vapi: VapiSender, depth: int) -> None:
    nested = "[" * depth + "]" * depth
    message = json.dumps(
        vapi.message("tool-calls", toolCallList=[{"id": "c1", "name": "change_order", "arguments": 0}])
    )
    body = f'{{"message": {message}}}'.replace('"arguments": 0', f'"arguments": {{"changes": {nested}}}')
    response = vapi.post_raw(body.encode())
    assert response.status_code in (200, 400)
    if response.status_code == 200:
        assert response.json()["results"][0]["error"]


def test_more_tools_than_any_model_calls_are_not_run(vapi: VapiSender) -> None:
    results = vapi.use_all([(f"c{number}", "get_opening_hours", {}) for number in range(25)], *HELLO)
    assert [result["toolCallId"] for result in results] == [f"c{number}" for number in range(25)]
    assert ["error" in result for result in results] == [False] * 20 + [True] * 5


def test_tools_of_an_unknown_call_are_not_run(vapi: VapiSender) -> None:
    stranger = VapiSender(vapi.url.removesuffix("/vapi/webhook"))
    (result,) = stranger.use_all([("c1", "end_call", {})])
    assert result["error"] == "I cannot do that on this line."
    assert not ToolCall.objects.exists()
    stranger.close()


def test_a_message_may_come_before_the_call_was_noted(live_server: LiveServer, call: Call) -> None:
    early = VapiSender(live_server.url, call)
    assert output(early.use("get_opening_hours"))["ok"]
    leg = VapiLeg.objects.get()
    assert (leg.vapi_id, leg.call, leg.carries_phone) == (early.call_id, call, False)
    early.close()


def test_a_message_that_names_another_call_is_refused(vapi: VapiSender, live_server: LiveServer) -> None:
    _, other = make_restaurant("Osteria Charlie")
    liar = VapiSender(live_server.url, other, call_id=vapi.call_id)
    assert "error" in liar.use("end_call")
    assert not ToolCall.objects.exists()
    liar.close()


def test_an_old_call_cannot_be_named(live_server: LiveServer, call: Call) -> None:
    Call.objects.update(created_at=timezone.now() - dt.timedelta(hours=6))
    late = VapiSender(live_server.url, call)
    assert "error" in late.use("end_call")
    late.close()


def test_another_organizations_assistant_may_not_use_this_calls_tools(vapi: VapiSender) -> None:
    _, other = make_restaurant("Osteria Charlie")
    assert other.agent is not None
    SyncedAssistant.objects.create(agent=other.agent, assistant_id="assistant-of-charlie")
    message = vapi.message("tool-calls", **tool_calls([("c1", "end_call", {})]))
    message["call"]["assistantId"] = "assistant-of-charlie"
    (result,) = vapi.post({"message": message}).json()["results"]
    assert result["error"]
    assert not ToolCall.objects.exists()


def test_a_tool_that_the_agent_does_not_have(vapi: VapiSender, call: Call) -> None:
    AgentVersion.objects.filter(calls=call).update(tools=["end_call"])
    assert vapi.use("change_order", *HELLO, **PIZZA)["error"] == "I cannot do that on this line."


def test_a_tool_that_crashes_costs_the_others_nothing(vapi: VapiSender, monkeypatch: pytest.MonkeyPatch) -> None:
    run = services._answer

    def crash(call: Call, tool_call: Any, read: Any) -> Any:
        if tool_call.name == "look_up_items":
            raise RuntimeError("a bug")
        return run(call, tool_call, read)

    monkeypatch.setattr(services, "_answer", crash)
    results = vapi.use_all([("c1", "look_up_items", {"query": "pizza"}), ("c2", "change_order", PIZZA)], *HELLO)
    assert results[0]["error"]
    assert output(results[1])["ok"]


def test_a_tool_that_takes_too_long_is_a_sentence_and_changes_nothing(
    vapi: VapiSender, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TOOL_TIMEOUT_S = 1
    run, goes_on = services._answer, threading.Event()

    def slow(call: Call, tool_call: Any, read: Any) -> Any:
        goes_on.wait(60)
        return run(call, tool_call, read)

    monkeypatch.setattr(services, "_answer", slow)
    began = time.monotonic()
    results = vapi.use_all([("c1", "change_order", PIZZA), ("c2", "read_back_order", {})], *HELLO)
    assert time.monotonic() - began < 15
    assert [result["toolCallId"] for result in results] == ["c1", "c2"]
    assert all(result["error"] for result in results)
    goes_on.set()
    vapi_threads.close()  # the tools that were given up come to their end
    assert not ToolCall.objects.exists()


def test_without_a_conversation_the_recorded_turns_count(vapi: VapiSender, call: Call) -> None:
    def use(name: str, **arguments: Any) -> dict[str, Any]:
        response = vapi.send("tool-calls", **tool_calls([(f"c{time.monotonic_ns()}", name, arguments)]))
        (result,) = response.json()["results"]
        return dict(result)

    def say(turn: int) -> None:
        TranscriptLine.objects.create(
            call=call, item_id=f"i{turn}", speaker="caller", text="yes", spoken_at_ms=turn * 1000, turn=turn
        )

    say(1)
    use("change_order", **PIZZA)
    use("read_back_order")
    assert not Order.objects.exists()
    use("submit_order")
    assert not Order.objects.exists()
    say(2)
    assert output(use("submit_order"))["ok"]


# What follows a tool


def make_target(call: Call) -> TransferTarget:
    assert call.organization is not None
    return TransferTarget.objects.create(
        organization=call.organization, slug="front-desk", name="the front desk", number="+493012345678"
    )


def test_the_result_says_what_the_bridge_does_next(vapi: VapiSender, call: Call) -> None:
    make_target(call)
    assert output(vapi.use("transfer_call", *HELLO, target="front-desk"))["transfer_to"] == "front-desk"
    ended = vapi.use("end_call", *HELLO)
    assert output(ended)["ends_call"] is True
    assert "message" not in ended


def test_vapi_hangs_up_itself_where_it_carries_the_phone_call(live_server: LiveServer, call: Call) -> None:
    carried = VapiSender(live_server.url)
    open_leg(call.pk, carried.call_id, carries_phone=True)
    ended = carried.use("end_call", *HELLO)
    assert output(ended)["ok"]
    assert ended["message"] == {
        "type": "request-complete", "role": "assistant", "content": "Thank you for calling. Goodbye.",
        "endCallAfterSpokenEnabled": True,
    }  # fmt: skip
    carried.close()


def test_a_call_that_is_over_is_still_answered(vapi: VapiSender, call: Call) -> None:
    Call.objects.update(state=CallState.COMPLETED, ended_at=timezone.now())
    assert output(vapi.use("get_opening_hours"))["ok"]


def test_many_calls_at_once_do_not_disturb_each_other(live_server: LiveServer, call: Call) -> None:
    assert call.agent is not None
    senders = [VapiSender(live_server.url, make_call(call.agent)) for _ in range(8)]

    def order(sender: VapiSender) -> httpx.Response:
        return sender.send("tool-calls", **tool_calls([("c1", "change_order", PIZZA)]), **artifact(*HELLO))

    with ThreadPoolExecutor(8) as threads:
        responses = list(threads.map(order, senders))
    assert all(output(response.json()["results"][0])["ok"] for response in responses)
    assert ToolCall.objects.count() == 8
    for sender in senders:
        sender.close()
