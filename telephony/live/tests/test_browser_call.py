"""A call between a browser and OpenAI counts: the server follows it on its side channel, from the click to the end."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from asgiref.sync import sync_to_async
from django.core.management import call_command
from django.db import connections
from pytest_django import Settings

from agents.organizations.models import Organization
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import TranscriptLine, Turn
from sessions.calls.services import finish_call
from sessions.orders.models import Order
from telephony.live import registry

from .browser import Browser, page, signed_in
from .conftest import Provider, in_a_thread

pytestmark = [pytest.mark.asyncio, pytest.mark.sound, pytest.mark.waits]


async def test_the_agent_greets_and_the_page_ends_the_call(tab: Browser, openai: Provider) -> None:
    await tab.dial()
    await tab.caller.until("output_audio_buffer.stopped")
    assert tab.caller.loud_at_s
    assert openai.server.live_calls == 1

    await tab.send("end")

    ended = await tab.ended()
    assert (ended["endReason"], tab.progress["state"]) == ("caller_hung_up", "completed")
    assert await tab.over() == ("completed", "caller_hung_up")
    kinds = [event.kind async for event in (await tab.call()).events.all()]
    # The side channel and the page come in either order.
    assert {"agent_ready", "browser_joined"} <= set(kinds)
    assert (kinds.index("connected"), kinds.index("ended")) == (0, len(kinds) - 1)
    (line,) = [line async for line in TranscriptLine.objects.filter(call_id=tab.details["callId"])]
    assert line.speaker == "agent"


async def test_closing_the_browser_ends_the_call(tab: Browser) -> None:
    await tab.dial()
    await tab.caller.until("output_audio_buffer.started")
    await tab.put_away()
    assert await tab.over() == ("completed", "caller_hung_up")


async def test_an_order_is_placed_by_voice(product: str, openai: Provider, settings: Settings) -> None:
    await in_a_thread(lambda: call_command("seed_demo", "--json"))
    napoli = await Organization.objects.aget(slug="bella-napoli")
    session = await in_a_thread(lambda: signed_in(napoli))
    async with page(product, slug=napoli.slug, session=session) as tab:
        await tab.dial()
        for count, sentence in enumerate(
            ("Two small funghi and a tiramisu, please.", "That's all.", "Yes, please."), 1
        ):
            await tab.caller.until("output_audio_buffer.stopped", count)
            tab.caller.microphone.say(sentence)
        async with asyncio.timeout(30):
            while not await Order.objects.aexists():
                await asyncio.sleep(0.05)
        await tab.send("end")
        await tab.ended()
    order = await Order.objects.aget()
    assert (order.total, tab.progress["submitted"]["total"]) == (Decimal(order.total), str(order.total))
    call = await tab.call()
    assert (call.state, call.kind, await order.lines.acount()) == ("completed", "browser", 2)
    assert await Turn.objects.filter(call=call, response_ms__gt=0).acount() >= 2
    assert call.cost_usd is not None
    assert call.cost_usd > 0
    said = [line.text async for line in TranscriptLine.objects.filter(call=call, speaker="caller")]
    assert "funghi" in " ".join(said).lower()
    await sync_to_async(connections.close_all)()


async def test_what_is_typed_is_a_turn(tab: Browser) -> None:
    await tab.dial()
    await tab.caller.until("output_audio_buffer.stopped")
    await tab.send("say", text="  When are you open?  ")
    await tab.caller.until("output_audio_buffer.started", 2)
    await tab.send("end")
    await tab.ended()
    lines = [
        (line.speaker, line.text, line.turn) async for line in TranscriptLine.objects.filter(call=await tab.call())
    ]
    assert ("caller", "When are you open?", 1) in lines


async def test_the_button_silences_the_agent(tab: Browser) -> None:
    await tab.dial()
    await tab.caller.until("output_audio_buffer.started")
    await tab.caller.hears(ms=1_000)
    await tab.send("interrupt")
    await tab.caller.until("output_audio_buffer.cleared")
    await tab.send("end")
    await tab.ended()
    (line,) = [line async for line in TranscriptLine.objects.filter(call=await tab.call())]
    assert line.is_cut


async def test_the_call_goes_on_when_its_socket_breaks(tab: Browser) -> None:
    await tab.dial()
    tab.drop_socket()
    await tab.caller.until("output_audio_buffer.stopped")
    assert (await tab.call()).state == "connected"
    await tab.listen()
    await tab.shows(state="connected")
    await tab.send("end")
    assert (await tab.ended())["endReason"] == "caller_hung_up"


async def test_an_operator_ends_it(tab: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "RENEW_EVERY_S", 0.1)
    await tab.dial()
    await tab.shows(state="connected")
    call_id = (await tab.call()).pk
    await in_a_thread(lambda: finish_call(call_id, reason=EndReason.HUNG_UP_BY_OPERATOR))
    assert (await tab.ended())["endReason"] == "hung_up_by_operator"
