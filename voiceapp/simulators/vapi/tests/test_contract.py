"""VAPI's own SDK (vapi_server_sdk) is satisfied: assistants, and a call from its creation to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import aiohttp
import httpx
import pytest
from vapi.core.api_error import ApiError

from voiceapp.simulators.vapi import VapiSimulator
from voiceapp.simulators.vapi.tests.caller import KEY, MULAW
from voiceapp.simulators.vapi.tests.running import running_vapi
from voiceapp.simulators.vapi.tests.sdk import Vapi, vapi_types

# The SDK builds thousands of types when it is first used: 10 s of CPU time.
pytestmark = [pytest.mark.waits, pytest.mark.timeout(300)]

TRANSPORT = {"provider": "vapi.websocket", "conversationType": "voice", "audioFormat": MULAW}


@pytest.fixture
def simulator() -> Iterator[VapiSimulator]:
    with running_vapi(keys=[KEY]) as running:
        yield running


@pytest.fixture
def sdk(simulator: VapiSimulator) -> Iterator[Vapi]:
    with httpx.Client(trust_env=False, timeout=10) as client:
        yield Vapi(token=KEY, base_url=simulator.base_url, httpx_client=client)


def test_assistants(sdk: Vapi) -> None:
    created = sdk.assistants.create(name="Garage", first_message="Hello.", max_duration_seconds=900)
    assert (created.name, created.first_message, created.max_duration_seconds) == ("Garage", "Hello.", 900)
    assert sdk.assistants.get(created.id).id == created.id
    assert created.id in [each.id for each in sdk.assistants.list(limit=10)]
    changed = sdk.assistants.update(created.id, first_message="Good morning.")
    assert (changed.name, changed.first_message) == ("Garage", "Good morning.")
    assert changed.updated_at >= created.updated_at
    assert sdk.assistants.delete(created.id).id == created.id
    with pytest.raises(ApiError) as gone:
        sdk.assistants.get(created.id)
    assert gone.value.status_code == 404


def test_a_call_from_its_creation_to_its_end(sdk: Vapi, simulator: VapiSimulator) -> None:
    created = sdk.assistants.create(name="Garage", first_message="Hello.")
    call = sdk.calls.create(assistant_id=created.id, transport=TRANSPORT, name="Alice calls")
    assert (call.status, call.type, call.assistant_id) == ("queued", "vapi.websocketCall", created.id)
    assert (call.model_extra or {})["subscriptionLimits"]["concurrencyBlocked"] is False
    asyncio.run(_listen_and_end(_socket_url(call), call.monitor.control_url))
    over = sdk.calls.get(call.id)
    assert (over.status, over.ended_reason, over.name) == ("ended", "manually-canceled", "Alice calls")
    assert over.started_at < over.ended_at
    assert over.artifact.transcript == "AI: Hello.\n"
    assert [each.role for each in over.artifact.messages] == ["bot"]
    assert over.cost == pytest.approx(over.cost_breakdown.total)
    assert {each.type for each in over.costs} == {"transport", "transcriber", "model", "voice", "vapi"}
    assert [each.id for each in sdk.calls.list(assistant_id=created.id)] == [call.id]
    assert sdk.calls.update(call.id, name="Bob calls").name == "Bob calls"
    assert sdk.calls.delete(call.id).id == call.id


def test_errors_have_vapis_body(sdk: Vapi, simulator: VapiSimulator) -> None:
    with pytest.raises(ApiError) as refused:
        sdk.calls.create(transport=TRANSPORT)
    assert (refused.value.status_code, refused.value.body["error"]) == (400, "Bad Request")
    wrong = Vapi(token="public", base_url=simulator.base_url, httpx_client=httpx.Client(trust_env=False))
    with pytest.raises(ApiError) as unauthorized:
        wrong.assistants.list()
    assert unauthorized.value.status_code == 401


def _socket_url(call: vapi_types.Call | vapi_types.CallBatchResponse) -> str:
    """The SDK has no name for it (protocols.md, C1)."""
    assert isinstance(call, vapi_types.Call)
    assert call.transport is not None
    return str((call.transport.model_extra or {})["websocketCallUrl"])


async def _listen_and_end(socket_url: str, control_url: str) -> None:
    """Hear the greeting, end the call at its control URL, and read until the socket is closed."""
    async with aiohttp.ClientSession() as session, session.ws_connect(socket_url) as socket:
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT and message.json()["type"] == "conversation-update":
                async with session.post(control_url, json={"type": "end-call"}) as response:
                    assert response.status == 200
        assert socket.close_code == 1000
