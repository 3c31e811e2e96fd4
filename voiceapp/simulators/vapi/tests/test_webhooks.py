"""The webhooks of a call: what is sent to the server URL, how it is signed, and how responses are read."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest

from voiceapp.simulators.vapi import VapiSimulator, tools_fault
from voiceapp.simulators.vapi.tests.caller import ASSISTANT, calling, post
from voiceapp.simulators.vapi.tests.own_server import OwnServer, own_server

pytestmark = pytest.mark.asyncio

LOOK_UP = {
    "type": "function",
    "function": {"name": "look_up_items", "parameters": {"type": "object"}},
}  # fmt: skip
END_CALL = {"type": "endCall"}
ONE_CALL = tools_fault([("look_up_items", {"query": "espresso"})])


def assistant(own: OwnServer | None, *tools: dict[str, Any], **fields: Any) -> dict[str, Any]:
    model = {**ASSISTANT["model"], "tools": list(tools)}
    settings = {**ASSISTANT, "model": model, **fields}
    return settings if own is None else {**settings, "server": {"url": own.url, **(fields.get("server") or {})}}


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


async def test_a_call_reports_to_the_server_of_its_assistant(vapi: VapiSimulator) -> None:
    async with own_server() as server:
        async with calling(vapi, assistant=assistant(server)) as caller:
            await caller.until("conversation-update")
            await caller.send({"type": "end-call"})
            await caller.closed()
        report = (await server.until("end-of-call-report"))[0]
        await vapi.idle()
    assert [each["status"] for each in server.of("status-update")] == ["in-progress", "ended"]
    assert server.of("status-update")[1]["endedReason"] == "manually-canceled"
    assert not server.of("transcript")
    assert server.messages[-1]["type"] == "end-of-call-report"
    assert report["call"]["id"] == caller.call["id"]
    assert report["artifact"]["transcript"] == "AI: Hello.\n"
    assert report["cost"] == pytest.approx(sum(each["cost"] for each in report["costs"]))
    assert {"startedAt", "endedAt", "endedReason", "analysis", "timestamp", "assistant"} <= set(report)


async def test_final_transcripts_alone_can_be_subscribed(vapi: VapiSimulator) -> None:
    final = 'transcript[transcriptType="final"]'
    async with own_server() as server:
        async with calling(vapi, assistant=assistant(server, serverMessages=[final])) as caller:
            await caller.until("conversation-update")
        await server.until(final)
        await vapi.idle()
    assert [(each["type"], each["transcript"]) for each in server.messages] == [(final, "Hello.")]


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


# authentication and delivery


@pytest.mark.parametrize(("fields", "header", "value"), [
    ({"secret": "s3cret"}, "X-Vapi-Secret", "s3cret"),
    ({"headers": {"X-Vapi-Secret": "s3cret"}}, "X-Vapi-Secret", "s3cret"),
])  # fmt: skip
async def test_a_secret_is_sent_in_its_header(
    vapi: VapiSimulator, fields: dict[str, Any], header: str, value: str
) -> None:
    for faults, sent in ([], value), (["wrong_secret"], f"{value}-wrong"):
        async with own_server() as server:
            async with calling(vapi, *faults, assistant=assistant(server, server=fields)) as caller:
                await caller.until("assistant.started")
            await server.until("status-update")
            assert server.requests[0][0][header] == sent
            await vapi.idle()


async def test_a_bearer_credential_is_sent(vapi: VapiSimulator) -> None:
    plan = {"type": "bearer", "token": "t0ken", "headerName": "X-Key", "bearerPrefixEnabled": False}
    credential = await _credential(vapi, plan)
    async with own_server() as server:
        async with calling(vapi, assistant=assistant(server, server={"credentialId": credential})) as caller:
            await caller.until("assistant.started")
        await server.until("status-update")
        assert server.requests[0][0]["X-Key"] == "t0ken"
        await vapi.idle()


async def test_an_hmac_credential_signs_the_time_and_the_body(vapi: VapiSimulator) -> None:
    credential = await _credential(vapi, {"type": "hmac", "secretKey": "k3y", "algorithm": "sha256"})
    async with own_server() as server:
        async with calling(vapi, assistant=assistant(server, server={"credentialId": credential})) as caller:
            await caller.until("assistant.started")
        await server.until("status-update")
        headers, body = server.requests[0]
        payload = headers["x-timestamp"].encode() + b"." + body
        assert headers["x-signature"] == hmac.new(b"k3y", payload, hashlib.sha256).hexdigest()
        await vapi.idle()


@pytest.mark.parametrize(("plan", "attempts"), [(None, 1), ({"maxRetries": 2, "baseDelaySeconds": 0.01}, 3)])
async def test_only_a_backoff_plan_repeats_a_webhook(vapi: VapiSimulator, plan: Any, attempts: int) -> None:
    wanted = {"serverMessages": ["end-of-call-report"]}
    async with own_server(end_of_call_report=503) as server:
        backoff = {"backoffPlan": plan} if plan else {}
        async with calling(vapi, assistant=assistant(server, server=backoff, **wanted)) as caller:
            await caller.until("assistant.started")
        await server.until("end-of-call-report", attempts)
        await vapi.idle()
        assert [each.statuses for each in vapi.webhooks] == [[503] * attempts]


async def test_webhooks_are_repeated_and_swapped_by_fault(vapi: VapiSimulator) -> None:
    wanted = {"serverMessages": ["status-update", "end-of-call-report"]}
    for fault, kinds in (
        ("webhooks_twice", ["status-update"] * 4 + ["end-of-call-report"] * 2),
        ("webhooks_reordered", ["status-update", "status-update", "end-of-call-report"]),
    ):
        async with own_server() as server:
            async with calling(vapi, fault, assistant=assistant(server, **wanted)) as caller:
                await caller.until("assistant.started")
            await vapi.idle()
            await server.until("end-of-call-report")
            await vapi.idle()
            assert [message["type"] for message in server.messages] == kinds
    assert [message.get("status") for message in server.messages] == ["ended", "in-progress", None]


async def test_the_report_comes_before_the_close_or_never_by_fault(vapi: VapiSimulator) -> None:
    async with own_server() as server:
        async with calling(vapi, "report_first", assistant=assistant(server)) as caller:
            await caller.until("assistant.started")
            await caller.send({"type": "end-call"})
            await caller.until("status-update", status="ended")
            await server.until("end-of-call-report")
            await caller.closed()
        async with calling(vapi, "no_report", assistant=assistant(server)) as caller:
            await caller.until("assistant.started")
            await caller.send({"type": "end-call"})
            await caller.closed()
        await vapi.idle()
        assert len(server.of("end-of-call-report")) == 1


async def test_an_inbound_call_asks_for_its_assistant(vapi: VapiSimulator) -> None:
    async with own_server(assistant_request={"assistant": ASSISTANT}) as server:
        body = {"server": {"url": server.url, "secret": "s3cret"}, "customer": {"number": "+15551234567"}}
        status, call = await post(f"{vapi.base_url}/local/inbound", body, {})
        assert (status, call["status"], call["type"]) == (201, "queued", "inboundPhoneCall")
        message = server.of("assistant-request")[0]
        assert message["call"]["customer"] == {"number": "+15551234567"}
        assert server.requests[0][0]["X-Vapi-Secret"] == "s3cret"
        server.responses["assistant-request"] = {"error": "We are closed."}
        status, call = await post(f"{vapi.base_url}/local/inbound", body, {})
        assert (call["status"], call["endedMessage"]) == ("ended", "We are closed.")
        assert json.loads(vapi.webhooks[-1].response) == {"error": "We are closed."}


async def _credential(vapi: VapiSimulator, plan: dict[str, Any]) -> str:
    body = {"provider": "webhook", "authenticationPlan": plan}
    return str((await post(f"{vapi.base_url}/credential", body))[1]["id"])
