"""The reports of a call: what is sent to the server URL, in which order, and how it is signed."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest

from voiceapp.simulators.vapi import VapiSimulator
from voiceapp.simulators.vapi.tests.caller import ASSISTANT, calling, post
from voiceapp.simulators.vapi.tests.own_server import assistant, own_server

pytestmark = pytest.mark.asyncio


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
