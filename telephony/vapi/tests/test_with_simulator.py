"""Calls at the simulated VAPI, whose webhooks reach the product over HTTP: tools, reports, faults, inbound calls."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.db import connections
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from agents.configuration.models import AgentVersion
from agents.transfers.models import TransferTarget
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call, CallEvent, CallState, ToolCall
from sessions.orders.models import Order
from sessions.tools.briefing import brief
from telephony.events.inbox import inbox
from telephony.events.models import ProviderEvent
from telephony.twilio.models import PhoneNumber
from telephony.vapi.assistants import transient_assistant
from telephony.vapi.legs import open_leg
from telephony.vapi.models import VapiLeg
from voiceapp.simulators.vapi import VapiSimulator, tools_fault
from voiceapp.simulators.vapi.tests.caller import KEY, calling
from voiceapp.simulators.vapi.tests.running import running_vapi
from voiceapp.tests.waiting import soon

from .sender import SECRET

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.waits]

ORDER = ("a large margherita please", "that is all", "yes")


@pytest.fixture
def simulator(account: Settings, live_server: LiveServer) -> Iterator[VapiSimulator]:
    with running_vapi(keys=[KEY]) as running:
        account.VAPI_API_KEY, account.VAPI_BASE_URL = KEY, running.base_url
        account.PUBLIC_BASE_URL = live_server.url
        yield running


def process() -> None:
    inbox.process_due(["vapi"])


def note(call: Call, vapi_id: str, *, carries_phone: bool = False) -> None:
    """From a thread of its own, whose connection is closed."""
    try:
        open_leg(call.pk, vapi_id, carries_phone=carries_phone)
    finally:
        connections.close_all()


def converse(simulator: VapiSimulator, call: Call, *said: str, faults: tuple[str, ...] = (), **fields: Any) -> str:
    """A call in which the caller types these words, each after the agent's response. Returns VAPI's id."""
    AgentVersion.objects.update(filler="")  # on a busy machine it would be taken for the response
    call.refresh_from_db()
    assistant = {**transient_assistant(brief(call), call), **fields}

    async def run() -> str:
        async with calling(simulator, "no_first_message", "hasty", *faults, assistant=assistant) as caller:
            await asyncio.to_thread(note, call, caller.call["id"])
            await caller.until("assistant.started")
            for words in said:
                await caller.send({"type": "add-message", "message": {"role": "user", "content": words}})
                await caller.until("speech-update", status="stopped", role="assistant")
            await caller.send({"type": "end-call"})
            await caller.closed()
            return str(caller.call["id"])

    return asyncio.run(run())


def used() -> list[str]:
    """The tools, in order."""
    return list(ToolCall.objects.values_list("name", flat=True))


def reported(vapi_id: str) -> VapiLeg:
    def has_report() -> bool:
        process()
        return VapiLeg.objects.filter(vapi_id=vapi_id).exclude(reported_at=None).exists()

    soon(has_report)
    return VapiLeg.objects.get(vapi_id=vapi_id)


@pytest.mark.parametrize("shape", ["sdk", "arguments", "parameters", "json", "legacy"])
def test_an_order_is_placed_in_every_shape_of_tool_calls(simulator: VapiSimulator, call: Call, shape: str) -> None:
    vapi_id = converse(simulator, call, *ORDER, faults=(f"tool_shape={shape}",))
    assert used()[:3] == ["change_order", "read_back_order", "submit_order"]
    assert Order.objects.get().call == call
    leg = reported(vapi_id)
    assert (leg.status, leg.ended_reason) == ("ended", "manually-canceled")
    assert leg.cost_usd is not None
    call.refresh_from_db()
    assert call.cost_usd == leg.cost_usd
    assert not ProviderEvent.objects.exclude(state="done").exists()


@pytest.mark.parametrize("fault", ["webhooks_twice", "webhooks_reordered", "report_first", "late_webhooks=300"])
def test_webhooks_twice_late_or_in_another_order_lead_to_the_same(
    simulator: VapiSimulator, call: Call, fault: str
) -> None:
    vapi_id = converse(simulator, call, *ORDER, faults=(fault,))
    leg = reported(vapi_id)
    assert Order.objects.count() == 1
    assert used()[:3] == ["change_order", "read_back_order", "submit_order"]
    assert len(used()) == len(set(used()))  # the agent may also have said goodbye
    process()
    assert VapiLeg.objects.get(pk=leg.pk).status == "ended"
    assert CallEvent.objects.filter(kind="vapi_report").count() == 1


def test_a_forged_secret_gets_nothing(simulator: VapiSimulator, call: Call) -> None:
    converse(simulator, call, *ORDER[:1], faults=("wrong_secret",))
    soon(lambda: all(webhook.statuses for webhook in simulator.webhooks))
    assert {webhook.statuses[-1] for webhook in simulator.webhooks} == {401}
    assert not ToolCall.objects.exists()
    assert not ProviderEvent.objects.exists()


def test_a_signing_credential(simulator: VapiSimulator, call: Call, account: Settings) -> None:
    plan = {
        "type": "hmac", "secretKey": SECRET, "algorithm": "sha512", "signatureHeader": "x-our-signature",
        "timestampHeader": "x-our-time", "payloadFormat": "{method}:{timestamp}:{body}", "signaturePrefix": "v1=",
        "signatureEncoding": "base64",
    }  # fmt: skip
    body = {"provider": "custom-credential", "name": "ours", "authenticationPlan": plan}
    headers = {"Authorization": f"Bearer {KEY}", "User-Agent": "tests"}
    made = httpx.post(f"{simulator.base_url}/credential", json=body, headers=headers, trust_env=False)
    account.VAPI_SERVER_AUTH, account.VAPI_SERVER_HEADER = "hmac", "x-our-signature"
    account.VAPI_HMAC_ALGORITHM, account.VAPI_HMAC_TIMESTAMP_HEADER = "sha512", "x-our-time"
    account.VAPI_HMAC_PAYLOAD, account.VAPI_HMAC_PREFIX = "{method}:{timestamp}:{body}", "v1="
    account.VAPI_HMAC_ENCODING, account.VAPI_SERVER_CREDENTIAL_ID = "base64", made.json()["id"]
    converse(simulator, call, *ORDER[:1])
    assert ToolCall.objects.get().outcome == "done"


def test_what_a_refusing_tool_says_reaches_the_model(simulator: VapiSimulator, call: Call) -> None:
    vapi_id = converse(simulator, call, "a moon", faults=(tools_fault([("moon", {})]),))
    results = [
        each["result"] for each in simulator.calls[vapi_id].transcript.messages if each["role"] == "tool_call_result"
    ]
    assert results == ["I cannot do that on this line."]


def test_a_transfer_of_a_call_that_vapi_carries_goes_to_its_control_url(simulator: VapiSimulator, call: Call) -> None:
    assert call.organization is not None
    PhoneNumber.objects.create(number="+493012345678", organization=call.organization)
    TransferTarget.objects.create(
        organization=call.organization, slug="front-desk", name="the front desk", number="+493087654321"
    )
    Call.objects.update(dialed_number="+493012345678")
    tools = tools_fault([("transfer_call", {"target": "front-desk"})])
    AgentVersion.objects.update(filler="")
    call.refresh_from_db()
    assistant = transient_assistant(brief(call), call)

    async def run() -> str:
        async with calling(simulator, "no_first_message", tools, assistant=assistant) as caller:
            await asyncio.to_thread(note, call, caller.call["id"], carries_phone=True)
            await caller.until("assistant.started")
            await caller.send({"type": "add-message", "message": {"role": "user", "content": "a person, please"}})
            await caller.until("transfer-update")
            await caller.closed()
            return str(caller.call["id"])

    vapi_id = asyncio.run(run())
    assert simulator.calls[vapi_id].destination == {
        "type": "number", "number": "+493087654321", "callerId": "+493012345678",
    }  # fmt: skip
    leg = reported(vapi_id)
    assert leg.ended_reason == "assistant-forwarded-call"
    call.refresh_from_db()
    assert (call.state, call.end_reason, call.transferred_to) == (
        CallState.COMPLETED, EndReason.TRANSFERRED, "the front desk",
    )  # fmt: skip
    assert set(CallEvent.objects.filter(kind__contains="transfer").values_list("kind", flat=True)) == {
        "transfer_at_vapi", "vapi_transfer",
    }  # fmt: skip


def ring(simulator: VapiSimulator, account: Settings, dialed: str) -> dict[str, Any]:
    server = {"url": f"{account.PUBLIC_BASE_URL}/vapi/webhook", "secret": SECRET}
    body = {"server": server, "customer": {"number": "+4915112345678"}, "phoneNumber": {"number": dialed}}
    response = httpx.post(f"{simulator.base_url}/local/inbound", json=body, trust_env=False, timeout=10)
    answer: dict[str, Any] = response.json()
    return answer


def test_a_call_to_a_number_of_vapis_is_answered(simulator: VapiSimulator, call: Call, account: Settings) -> None:
    Call.objects.all().delete()
    assert call.organization is not None
    PhoneNumber.objects.create(number="+493012345678", organization=call.organization)
    answered = ring(simulator, account, "+493012345678")
    assert answered["status"] == "queued"
    ours = Call.objects.get()
    assert (ours.state, ours.carrier_sid) == (CallState.RINGING, answered["id"])
    assert answered["assistant"]["metadata"]["callId"] == str(ours.pk)
    assert json.dumps(answered["assistant"]).count("Margherita")
    refused = ring(simulator, account, "+4930999")
    assert (refused["status"], refused["endedReason"]) == ("ended", "assistant-request-returned-error")
    assert refused["endedMessage"] == "This number is not in service. Goodbye."
