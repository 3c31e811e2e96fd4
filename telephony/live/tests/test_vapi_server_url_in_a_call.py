"""A phone call over the simulated VAPI, whose tools and reports come back over HTTP to the server that carries it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from pytest_django import Settings

from agents.configuration.models import AgentVersion
from agents.transfers.models import TransferTarget
from sessions.calls.models import ToolCall
from telephony.events.inbox import inbox
from telephony.twilio.models import FollowUp, MediaStream, PhoneNumber
from telephony.vapi.models import VapiLeg
from telephony.vapi.webhooks import vapi_threads
from voiceapp.simulators.vapi import VapiSimulator, tools_fault

from .conftest import call_of, end_of, in_a_thread
from .handset import Handset

pytestmark = [pytest.mark.asyncio, pytest.mark.waits]

KEY = "vapi-private-key"


@pytest_asyncio.fixture
async def vapi(handset: Handset, settings: Settings) -> AsyncIterator[VapiSimulator]:
    """It plays the published agent by an assistant for each call alone, which has our server URL."""
    settings.VAPI_API_KEY, settings.VAPI_ASSISTANT_ID = KEY, ""
    settings.VAPI_SERVER_SECRET = "the-secret-of-the-server-url-0123456789"
    await sync_to_async(lambda: AgentVersion.objects.update(provider="vapi"))()
    async with VapiSimulator(keys=[KEY]) as simulator:
        yield simulator
    vapi_threads.close()


async def converse(handset: Handset, vapi: VapiSimulator, settings: Settings, tool: str, **arguments: object) -> None:
    """The agent greets; the caller presses a key; the agent uses the tool."""
    settings.VAPI_BASE_URL = vapi.fault_url(tools_fault([(tool, arguments)]))
    await handset.dial()
    assert await handset.hears_something(within_s=10)
    await asyncio.sleep(1)
    await handset.press("5")


async def test_a_tool_runs_once_and_its_result_ends_the_call(
    handset: Handset, vapi: VapiSimulator, settings: Settings
) -> None:
    await converse(handset, vapi, settings, "end_call")
    assert await end_of(handset, within_s=20) == ("completed", "agent_hung_up")
    call = await call_of(handset)
    tool = await ToolCall.objects.aget(call=call)
    assert (tool.name, tool.outcome, tool.output["ends_call"]) == ("end_call", "done", True)
    await vapi.idle()
    assert {webhook.statuses[-1] for webhook in vapi.webhooks} == {200}
    await in_a_thread(lambda: inbox.process_due(["vapi"]))
    leg = await VapiLeg.objects.aget(call=call)
    assert (leg.status, leg.carries_phone) == ("ended", False)
    assert leg.reported_at is not None
    await call.arefresh_from_db()
    assert call.cost_usd == leg.cost_usd is not None


async def test_a_transfer_that_a_tool_decides_on_is_done_by_the_carrier(
    handset: Handset, vapi: VapiSimulator, settings: Settings, line: PhoneNumber
) -> None:
    await sync_to_async(TransferTarget.objects.create)(
        organization_id=line.organization_id, slug="front-desk", name="the front desk", number="+493087654321"
    )
    await converse(handset, vapi, settings, "transfer_call", target="front-desk")
    assert await handset.close_comes(within_s=20) is not None
    stream = await MediaStream.objects.aget(call__carrier_sid=handset.call_sid)
    assert (stream.follow_up, stream.hand_over_to) == (FollowUp.HAND_OVER, "front-desk")
    await handset.hang_up()
    await vapi.idle()
