"""A caller whom nobody took comes back to an agent played by VAPI, with the conversation so far."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from pytest_django import Settings

from agents.configuration.models import AgentVersion
from agents.transfers.models import IfNobody, TransferMode, TransferTarget
from sessions.calls.models import CallState
from sessions.tools.services import run_tool
from telephony.twilio.models import PhoneNumber
from telephony.twilio.transfers.advance import advance_all

from .conftest import call_of, end_of, in_a_thread, kinds_of
from .handset import Handset
from .scripted_vapi import ScriptedVapi, scripted_vapi

pytestmark = [pytest.mark.asyncio, pytest.mark.waits]


@pytest_asyncio.fixture
async def vapi(line: PhoneNumber, settings: Settings) -> AsyncIterator[ScriptedVapi]:
    """The published agent is played by a VAPI assistant; no phone of a person can be called."""
    async with scripted_vapi() as server:
        settings.VAPI_API_KEY = "the-private-key"
        settings.VAPI_BASE_URL = server.url
        settings.TWILIO_BASE_URL = "http://127.0.0.1:9"
        await sync_to_async(lambda: AgentVersion.objects.update(provider="vapi", greeting="Hello."))()
        await TransferTarget.objects.acreate(
            organization_id=line.organization_id, slug="anna", name="Anna", number="+493055555551",
            mode=TransferMode.WARM, if_nobody=IfNobody.AGENT,
        )  # fmt: skip
        yield server


async def test_the_second_session_knows_the_first_and_says_that_nobody_was_reached(
    handset: Handset, new_handset: Callable[[], Handset], vapi: ScriptedVapi
) -> None:
    await handset.dial()
    assert await handset.hears_something(within_s=5)
    await asyncio.sleep(0.5)
    await vapi.turn("I want to speak to Anna.", answer="")
    request = {"name": "transfer_call", "arguments": {"target": "anna", "reason": "The brakes."}}
    call = {"id": "tool_1", "type": "function", "function": request}
    await vapi.event("tool-calls", toolCallList=[call])
    call_id, arguments = (await call_of(handset)).id, json.dumps(request["arguments"])
    # VAPI has its tools run by our server URL.
    await in_a_thread(
        lambda: run_tool(call_id, name="transfer_call", arguments=arguments, tool_call_id="tool_1", caller_turns=1)
    )
    await vapi.speak("I will connect you to Anna now.")
    await handset.close_comes(within_s=25)

    assert (await handset.post_webhook("/twiml/after"))[-1].tag == "Redirect"
    stored = await call_of(handset)
    assert stored.state == CallState.CONNECTED
    await in_a_thread(advance_all)
    transfer = await stored.transfers.aget()
    twiml = await handset.post_webhook(f"/twiml/transfer/caller?transfer={transfer.pk}")
    stream = twiml.find("./Connect/Stream")
    assert stream is not None

    again = new_handset()
    again.call_sid, again.stream_url = handset.call_sid, stream.attrib["url"]
    again.parameters = {each.attrib["name"]: each.attrib["value"] for each in stream.findall("Parameter")}
    await again.open()
    await again.start()
    assert await again.hears_something(within_s=5)
    await asyncio.sleep(0.5)
    await again.hang_up()

    assert await end_of(again) == ("completed", "caller_hung_up")
    _, second = vapi.created
    assert "cannot take your call" in str(second["assistantOverrides"]["firstMessage"])
    added = [frame["message"]["content"] for frame in vapi.of_type("add-message")]
    assert any("I want to speak to Anna." in each for each in added)
    assert any("Nobody took the call: Anna could not be reached." in each for each in added)
    assert (await kinds_of(again)).count("agent_back") == 1
    texts = [line.text async for line in stored.lines.all()]
    assert texts[:2] == ["Hello.", "I want to speak to Anna."]
    assert "cannot take your call" in texts[-1]
