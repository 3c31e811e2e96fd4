"""The tools of a call: how they are sent to the server URL, and how the responses are read."""

from __future__ import annotations

from typing import Any

import pytest

from voiceapp.simulators.vapi import VapiSimulator, tools_fault
from voiceapp.simulators.vapi.tests.caller import calling
from voiceapp.simulators.vapi.tests.own_server import OwnServer, assistant, own_server

pytestmark = pytest.mark.asyncio

LOOK_UP = {
    "type": "function",
    "function": {"name": "look_up_items", "parameters": {"type": "object"}},
}  # fmt: skip
END_CALL = {"type": "endCall"}
ONE_CALL = tools_fault([("look_up_items", {"query": "espresso"})])


def results(result: Any = '{"ok": true, "say": "An espresso."}', **fields: Any) -> Any:
    """A response to `tool-calls` with this result for the first call."""

    def respond(message: dict[str, Any]) -> dict[str, Any]:
        call_id = message["toolCallList"][0]["id"]
        return {"results": [{"toolCallId": call_id, "name": "look_up_items", "result": result, **fields}]}

    return respond


async def asked_for_tools(vapi: VapiSimulator, server: OwnServer, *faults: str, **fields: Any) -> list[str]:
    """What the agent says in a call whose model calls one tool at once."""
    async with calling(
        vapi, ONE_CALL, "no_first_message", *faults, assistant=assistant(server, LOOK_UP, **fields)
    ) as caller:
        await caller.until("assistant.started")
        await caller.send({"type": "add-message", "message": {"role": "user", "content": "an espresso"}})
        await caller.until("speech-update", status="stopped", role="assistant")
        await caller.until("conversation-update")
        await caller.send({"type": "end-call"})
        await caller.closed()
    await vapi.idle()
    return [each["message"] for each in vapi.calls[caller.call["id"]].transcript.messages if each["role"] == "bot"]


async def test_the_server_of_a_tool_comes_before_that_of_the_assistant(vapi: VapiSimulator) -> None:
    async with own_server() as first, own_server(tool_calls=results()) as second:
        async with calling(
            vapi, ONE_CALL, "no_first_message", assistant=assistant(first, {**LOOK_UP, "server": {"url": second.url}})
        ) as caller:
            await caller.until("assistant.started")
            await caller.send({"type": "add-message", "message": {"role": "user", "content": "an espresso"}})
            await second.until("tool-calls")
        await vapi.idle()
    assert not first.of("tool-calls")
    assert {message["type"] for message in second.messages} == {"tool-calls"}


async def test_the_result_of_a_tool_is_spoken(vapi: VapiSimulator) -> None:
    async with own_server(tool_calls=results()) as server:
        said = await asked_for_tools(vapi, server)
        sent = server.of("tool-calls")[0]
    assert said == ["An espresso. What would you like?"]
    call = sent["toolCallList"][0]
    assert call["function"] == {"name": "look_up_items", "arguments": '{"query": "espresso"}'}
    assert sent["toolWithToolCallList"] == [{**LOOK_UP, "toolCall": call}]


@pytest.mark.parametrize(("shape", "read"), [
    ("arguments", {"name": "look_up_items", "arguments": {"query": "espresso"}}),
    ("parameters", {"name": "look_up_items", "parameters": {"query": "espresso"}}),
    ("json", {"type": "function", "function": {"name": "look_up_items", "arguments": {"query": "espresso"}}}),
])  # fmt: skip
async def test_tool_calls_have_the_shape_of_the_url(vapi: VapiSimulator, shape: str, read: dict[str, Any]) -> None:
    async with own_server(tool_calls=results()) as server:
        await asked_for_tools(vapi, server, f"tool_shape={shape}")
        call = dict(server.of("tool-calls")[0]["toolCallList"][0])
    assert call.pop("id")
    assert call == read


async def test_the_legacy_shape_is_a_function_call(vapi: VapiSimulator) -> None:
    async with own_server(function_call={"result": "Espresso is out."}) as server:
        said = await asked_for_tools(vapi, server, "tool_shape=legacy")
        assert server.of("function-call")[0]["functionCall"] == {
            "name": "look_up_items", "parameters": {"query": "espresso"},
        }  # fmt: skip
    assert said == ["Espresso is out. What would you like?"]


@pytest.mark.parametrize("response", [500, 201, 404, {}, {"results": "none"}, {"results": [{"toolCallId": "other"}]}])
async def test_a_response_that_is_no_result_is_ignored(vapi: VapiSimulator, response: Any) -> None:
    async with own_server(tool_calls=response) as server:
        said = await asked_for_tools(vapi, server)
    assert said == ["No result returned. What would you like?"]


async def test_results_are_ignored_by_fault(vapi: VapiSimulator) -> None:
    async with own_server(tool_calls=results()) as server:
        assert await asked_for_tools(vapi, server, "tool_ignored") == ["No result returned. What would you like?"]


async def test_a_message_of_the_result_is_spoken_instead_of_the_model(vapi: VapiSimulator) -> None:
    async with own_server(tool_calls=results(message="Here you are.")) as server:
        assert await asked_for_tools(vapi, server) == ["Here you are."]


async def test_a_slow_tool_is_reported_as_hanging(vapi: VapiSimulator) -> None:
    async with own_server(tool_calls=results()) as server:
        server.delay_s = 0.2
        await asked_for_tools(vapi, server, "hang=10")
        assert server.of("hang")


async def test_a_slow_tool_is_bridged_by_its_own_words(vapi: VapiSimulator) -> None:
    delayed = {"type": "request-response-delayed", "content": "One moment.", "timingMilliseconds": 100}
    tool = {**LOOK_UP, "messages": [{"type": "request-start", "content": ""}, delayed]}
    async with own_server(tool_calls=results()) as server:
        server.delay_s = 0.4
        async with calling(vapi, ONE_CALL, "no_first_message", assistant=assistant(server, tool)) as caller:
            await caller.until("assistant.started")
            await caller.send({"type": "add-message", "message": {"role": "user", "content": "an espresso"}})
            await caller.until("transcript", role="assistant", transcriptType="final", transcript="One moment.")
            await caller.until("transcript", role="assistant", transcriptType="final", transcript="An espresso.")
        await vapi.idle()


async def test_the_tool_that_ends_the_call_ends_it(vapi: VapiSimulator) -> None:
    async with calling(
        vapi, tools_fault([("end_call", {})]), "no_first_message",
        assistant=assistant(None, END_CALL, endCallMessage="Goodbye."),
    ) as caller:  # fmt: skip
        await caller.until("assistant.started")
        await caller.send({"type": "add-message", "message": {"role": "user", "content": "goodbye"}})
        await caller.until("transcript", transcriptType="final", transcript="Goodbye.")
        assert (await caller.until("status-update", status="ended"))["endedReason"] == "assistant-ended-call"
        assert await caller.closed() == 1000


@pytest.mark.parametrize("is_known", [True, False])
async def test_the_destination_of_a_transfer_is_requested(vapi: VapiSimulator, is_known: bool) -> None:
    destination = {"type": "number", "number": "+15551234567"}
    response = {"destination": destination} if is_known else {"error": "Nobody is there."}
    tool = {"type": "transferCall", "destinations": []}
    async with own_server(transfer_destination_request=response) as server:
        async with calling(
            vapi, tools_fault([("transfer_call", {})]), "no_first_message", assistant=assistant(server, tool)
        ) as caller:
            await caller.until("assistant.started")
            await caller.send({"type": "add-message", "message": {"role": "user", "content": "a person"}})
            if is_known:
                assert (await caller.until("transfer-update"))["destination"] == destination
                assert await caller.closed() == 1000
            else:
                await caller.until("transcript", role="assistant", transcript="Nobody is there.")
        await vapi.idle()
