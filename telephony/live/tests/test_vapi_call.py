"""A phone call with a VAPI assistant over real sockets: REST, VAPI's socket, and Twilio's."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from decimal import Decimal

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from pytest_django import Settings

from agents.configuration.models import Agent, AgentVersion
from sessions.calls.models import ToolCall, TranscriptLine, Turn
from sessions.tools.services import run_tool

from .conftest import Provider, call_of, end_of, in_a_thread, kinds_of
from .handset import Handset
from .scripted_vapi import ScriptedVapi, scripted_vapi

pytestmark = [pytest.mark.asyncio, pytest.mark.waits]

GREETING = "Hello, this is the garage."


@pytest_asyncio.fixture
async def vapi(handset: Handset, settings: Settings) -> AsyncIterator[ScriptedVapi]:
    """The published agent is played by a VAPI assistant."""
    async with scripted_vapi() as server:
        settings.VAPI_API_KEY = "the-private-key"
        settings.VAPI_BASE_URL = server.url
        await sync_to_async(lambda: AgentVersion.objects.update(provider="vapi", greeting=GREETING))()
        yield server
        await until(lambda: not server.open_sockets)


async def until(claim: Callable[[], object], within_s: float = 15) -> None:
    async with asyncio.timeout(within_s):
        while not claim():
            await asyncio.sleep(0.02)


async def lines_of(handset: Handset) -> list[tuple[str, str]]:
    call = await call_of(handset)
    lines = TranscriptLine.objects.filter(call=call).order_by("spoken_at_ms", "id")
    return [(line.speaker, line.text) async for line in lines]


async def test_a_call_is_greeted_heard_and_answered(handset: Handset, vapi: ScriptedVapi) -> None:
    await handset.dial()
    assert await handset.hears_something(within_s=5)
    await until(lambda: len(vapi.sound) > 4_000)
    await asyncio.sleep(0.5)
    await vapi.turn("A tire change, please.")
    await asyncio.sleep(0.8)
    await handset.hang_up()

    assert await end_of(handset) == ("completed", "caller_hung_up")
    assert await lines_of(handset) == [
        ("agent", GREETING),
        ("caller", "A tire change, please."),
        ("agent", "My own words."),
    ]
    assert await Turn.objects.filter(call=await call_of(handset), response_ms__isnull=False).acount() == 1
    assert set(vapi.sound) == {0xFF}
    await until(lambda: vapi.ended)
    assert [frame["content"] for frame in vapi.of_type("say")] == [GREETING]


async def test_vapi_is_requested_with_the_agents_assistant_and_our_call(handset: Handset, vapi: ScriptedVapi) -> None:
    await sync_to_async(lambda: Agent.objects.update(vapi_assistant_id="an-assistant-of-alice"))()
    await handset.dial()
    await until(lambda: vapi.created)
    (created,) = vapi.created
    overrides = created["assistantOverrides"]
    assert created["assistantId"] == "an-assistant-of-alice"
    assert created["transport"]["audioFormat"] == {"format": "mulaw", "container": "raw", "sampleRate": 8000}
    assert overrides["metadata"] == {"callId": str((await call_of(handset)).id)}
    assert overrides["firstMessageMode"] == "assistant-waits-for-user"
    assert overrides["firstMessage"] == GREETING
    assert "## Hours" in overrides["variableValues"]["live_facts"]
    assert vapi.headers[0]["authorization"] == "Bearer the-private-key"
    assert vapi.headers[0]["user-agent"].startswith("voiceapp/")
    await handset.hang_up()
    assert await end_of(handset) == ("completed", "caller_hung_up")


@pytest.mark.parametrize("path", ["/twilio", "/ws/twilio"])
async def test_either_address_serves_the_agent(handset: Handset, vapi: ScriptedVapi, path: str) -> None:
    await handset.ring()
    handset.stream_url = handset.base_url.replace("http", "ws") + path
    await handset.open()
    await handset.start()
    assert await handset.hears_something(within_s=5)
    await handset.hang_up()
    assert await end_of(handset) == ("completed", "caller_hung_up")


async def test_an_interruption_cuts_the_transcript_where_it_was_heard(handset: Handset, vapi: ScriptedVapi) -> None:
    vapi.tone_frames = 200
    await handset.dial()
    assert await handset.hears_something(within_s=5)
    await asyncio.sleep(0.5)
    await vapi.event("user-interrupted", turnId="b4b0e5a4")
    await vapi.event("transcript", role="user", transcriptType="final", transcript="Wait.")
    await asyncio.sleep(0.3)
    heard = len(handset.heard)
    await asyncio.sleep(0.5)
    assert len(handset.heard) == heard
    await handset.hang_up()
    assert await end_of(handset) == ("completed", "caller_hung_up")
    (_, agent), (_, caller) = await lines_of(handset)
    assert caller == "Wait."
    assert GREETING.startswith(agent)
    assert agent != GREETING
    assert (await call_of(handset)).interruptions == 1


async def test_the_assistant_ends_the_call_for_both(handset: Handset, vapi: ScriptedVapi) -> None:
    await handset.dial()
    assert await handset.hears_something(within_s=5)
    await vapi.end("assistant-ended-call")
    assert await handset.close_comes(within_s=5) == 1000
    assert await end_of(handset) == ("completed", "agent_hung_up")
    assert {"agent_left", "provider_call"} <= set(await kinds_of(handset))
    assert (await lines_of(handset))[0] == ("agent", GREETING)


async def test_an_end_that_vapi_only_tells_later_is_looked_up(handset: Handset, vapi: ScriptedVapi) -> None:
    await handset.dial()
    assert await handset.hears_something(within_s=5)
    await vapi.end("silence-timed-out", is_told=False)
    assert await end_of(handset) == ("completed", "caller_silent")
    assert len(vapi.created) == 1


async def test_a_socket_that_closes_without_a_word_is_opened_again(handset: Handset, vapi: ScriptedVapi) -> None:
    await handset.dial()
    assert await handset.hears_something(within_s=5)
    await asyncio.sleep(0.6)
    await vapi.close(1011)
    await until(lambda: len(vapi.created) == 2)
    await until(lambda: vapi.of_type("add-message"))
    assert vapi.of_type("add-message")[0]["message"] == {"role": "assistant", "content": GREETING}
    assert len(vapi.of_type("say")) == 1
    await handset.hang_up()
    assert await end_of(handset) == ("completed", "caller_hung_up")


async def test_the_cost_of_the_report_is_the_cost_of_the_call(handset: Handset, vapi: ScriptedVapi) -> None:
    await handset.dial()
    assert await handset.hears_something(within_s=5)
    await vapi.event("end-of-call-report", endedReason="assistant-ended-call", cost=0.0725)
    assert await end_of(handset) == ("completed", "agent_hung_up")
    assert (await call_of(handset)).cost_usd == Decimal("0.072500")


async def test_a_tool_that_the_webhook_runs_ends_the_call_and_runs_once(handset: Handset, vapi: ScriptedVapi) -> None:
    await handset.dial()
    assert await handset.hears_something(within_s=5)
    await asyncio.sleep(0.5)
    await vapi.turn("That is all, goodbye.", answer="")
    call = await call_of(handset)
    tool = {"id": "call_1", "type": "function", "function": {"name": "end_call", "arguments": {}}}
    await vapi.event("tool-calls", toolCallList=[tool])
    await asyncio.sleep(0.3)
    assert await ToolCall.objects.filter(call=call).acount() == 0
    await in_a_thread(lambda: run_tool(call.id, name="end_call", arguments="{}", tool_call_id="call_1", caller_turns=1))
    await asyncio.sleep(0.3)
    await vapi.speak("Goodbye.")
    assert await end_of(handset) == ("completed", "agent_hung_up")
    assert await ToolCall.objects.filter(call=call).acount() == 1
    assert (await lines_of(handset))[-1] == ("agent", "Goodbye.")


@pytest.mark.parametrize(
    ("status", "end"),
    [
        (401, "provider_refused"),
        (402, "provider_refused"),
        (404, "provider_refused"),
        (429, "provider_failed"),
        (500, "provider_failed"),
        (503, "provider_failed"),
    ],
)
async def test_a_refusal_ends_in_the_apology(handset: Handset, vapi: ScriptedVapi, status: int, end: str) -> None:
    vapi.status = status
    await handset.dial()
    await handset.close_comes(within_s=8)
    assert (await handset.post_webhook("/twiml/after"))[0].tag in ("Say", "Dial", "Record")
    assert await end_of(handset) == ("failed", end)
    assert "agent_lost" in await kinds_of(handset)


async def test_a_call_that_is_created_too_late_is_ended(handset: Handset, vapi: ScriptedVapi) -> None:
    vapi.delay_s = 1.5
    await handset.dial()
    await asyncio.sleep(0.5)
    await handset.hang_up()
    assert (await end_of(handset))[1] == "caller_hung_up"
    await until(lambda: len(vapi.ended) == len(vapi.created) == 1)


@pytest.mark.parametrize("frame", ["no json", "[]", '{"type":', "{" * 3_000])
async def test_garbage_where_events_belong_is_survived(handset: Handset, vapi: ScriptedVapi, frame: str) -> None:
    await handset.dial()
    assert await handset.hears_something(within_s=5)
    for _ in range(5):
        await vapi.send(frame)
    await asyncio.sleep(0.4)
    await vapi.turn("Are you there?")
    await asyncio.sleep(0.8)
    await handset.hang_up()
    assert await end_of(handset) == ("completed", "caller_hung_up")
    assert ("agent", "My own words.") in await lines_of(handset)


async def test_a_frame_over_the_limit_is_not_played(handset: Handset, vapi: ScriptedVapi) -> None:
    await handset.dial()
    assert await handset.hears_something(within_s=5)
    with contextlib.suppress(ConnectionError):  # we may close before all of it is sent
        await vapi.send(b"\x20" * (5 * 1024 * 1024))
    await until(lambda: len(vapi.created) == 2)
    await handset.hang_up()
    assert await end_of(handset) == ("completed", "caller_hung_up")


async def failed_over(handset: Handset) -> dict[str, str]:
    call = await call_of(handset)
    event = await call.events.aget(kind="failed_over")
    detail: dict[str, str] = event.detail
    return detail


@pytest.mark.parametrize("fault", ["401", "402", "429", "503", "blocked", "slow", "silent", "no key"])
async def test_the_other_provider_greets_within_three_seconds(
    handset: Handset, vapi: ScriptedVapi, openai: Provider, settings: Settings, fault: str
) -> None:
    await sync_to_async(lambda: AgentVersion.objects.update(fails_over=True))()
    match fault:
        case "blocked":
            vapi.changes = {"subscriptionLimits": {"concurrencyBlocked": True}}
        case "slow":
            vapi.delay_s = 6
        case "silent":
            vapi.greets = False
        case "no key":
            settings.VAPI_API_KEY = ""
        case _:
            vapi.status = int(fault)
    await handset.dial()
    assert await handset.hears_something(within_s=5)
    await asyncio.sleep(1.5)
    await handset.hang_up()
    assert (await end_of(handset)) == ("completed", "caller_hung_up")
    detail = await failed_over(handset)
    assert (detail["from"], detail["to"]) == ("vapi", "openai")
    assert detail["why"]
    event = await (await call_of(handset)).events.aget(kind="failed_over")
    assert event.at_ms is not None
    assert event.at_ms < 3_000
    assert [speaker for speaker, _ in await lines_of(handset)] == ["agent"]


async def test_vapi_takes_a_call_that_openai_refuses(
    handset: Handset, vapi: ScriptedVapi, openai: Provider, settings: Settings
) -> None:
    settings.OPENAI_BASE_URL = openai.url("refuse=401")
    await sync_to_async(lambda: AgentVersion.objects.update(provider="openai", fails_over=True))()
    await handset.dial()
    assert await handset.hears_something(within_s=5)
    await asyncio.sleep(0.6)
    await handset.hang_up()
    assert await end_of(handset) == ("completed", "caller_hung_up")
    assert (await failed_over(handset))["to"] == "vapi"
    assert await lines_of(handset) == [("agent", GREETING)]


async def test_a_version_that_may_not_fall_over_does_not(handset: Handset, vapi: ScriptedVapi) -> None:
    vapi.status = 402
    await handset.dial()
    await handset.close_comes(within_s=8)
    assert await end_of(handset) == ("failed", "provider_refused")
    assert "failed_over" not in await kinds_of(handset)
