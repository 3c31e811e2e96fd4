"""A browser that has lost its connection goes on with its call in another one at OpenAI, which learns what was said."""

from __future__ import annotations

import asyncio

import pytest
from django.utils import timezone
from pytest_django import Settings

from agents.organizations.models import Organization
from sessions.calls.models import Call, CallEvent, TranscriptLine
from sessions.messages.outbox import outbox
from telephony.bridge import browser_call
from telephony.live.registry import live_calls
from voiceapp.console.call_page.browser_call import reconnecting

from .browser import Browser, page, signed_in
from .conftest import Provider, comes_true, in_a_thread
from .served import served

pytestmark = [pytest.mark.asyncio, pytest.mark.sound, pytest.mark.waits]

NOT_SDP = "Hello."


async def kinds(tab: Browser) -> list[str]:
    return [event.kind async for event in CallEvent.objects.filter(call_id=tab.details["callId"])]


async def goes_on(tab: Browser, openai: Provider) -> None:
    """The agent speaks in the new call at OpenAI, the old one is hung up, and the caller is still heard."""
    await tab.caller.until("output_audio_buffer.started")
    assert tab.caller.of("conversation.item.added"), "the session got nothing"
    assert (await tab.call()).state == "connected"
    await in_a_thread(outbox.process_due)
    assert await asyncio.to_thread(comes_true, lambda: openai.server.live_calls == 1, 10)
    await tab.send("say", text="When are you open?")
    await tab.caller.until("output_audio_buffer.cleared")
    await tab.caller.until("output_audio_buffer.started", 2)


async def test_the_call_goes_on_in_another_one_at_openai(tab: Browser, openai: Provider) -> None:
    await tab.dial()
    await tab.caller.hears(ms=900)
    first = (await tab.call()).carrier_sid
    await tab.reconnect(unheard_ms=100)
    assert (await tab.call()).carrier_sid not in ("", first)
    await goes_on(tab, openai)
    await tab.send("end")
    assert (await tab.ended())["endReason"] == "caller_hung_up"
    assert await tab.over() == ("completed", "caller_hung_up")
    greeting = await TranscriptLine.objects.filter(call=await tab.call(), speaker="agent").afirst()
    assert greeting is not None
    assert greeting.is_cut
    assert {kind for kind in await kinds(tab) if kind.startswith("browser")} == {
        "browser_joined", "browser_reconnecting", "browser_returned",
    }  # fmt: skip
    assert "session_changed_by_page" not in await kinds(tab)


async def test_it_comes_back_after_openai_has_given_it_up(tab: Browser, openai: Provider) -> None:
    await tab.dial()
    await tab.caller.until("output_audio_buffer.stopped")
    openai.thread.do(openai.server.hang_up_calls(1000))
    assert await asyncio.to_thread(comes_true, lambda: openai.server.live_calls == 0, 5)
    await tab.reconnect()
    await goes_on(tab, openai)
    await tab.send("end")
    await tab.ended()


async def test_it_comes_back_through_other_processes(tab: Browser, openai: Provider, unused_tcp_port: int) -> None:
    """Neither its request nor its socket reach the process that carries the call."""
    async with served(unused_tcp_port) as other:
        await tab.dial()
        await tab.caller.until("output_audio_buffer.stopped")
        tab.drop_socket()
        tab.address = other.address
        await tab.listen()
        await tab.reconnect()
        await goes_on(tab, openai)
        assert len(live_calls) == 1
        await tab.send("end")
        assert (await tab.ended())["endReason"] == "caller_hung_up"
    assert await asyncio.to_thread(comes_true, lambda: not live_calls, 5)


async def test_one_that_stays_away(tab: Browser, openai: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser_call, "RETURN_WITHIN_MS", 300)
    await tab.dial()
    await tab.caller.until("output_audio_buffer.started")  # a call that OpenAI ends before we follow it was refused
    openai.thread.do(openai.server.hang_up_calls(1000))
    ended = await tab.ended()
    assert (ended["endReason"], ended["message"][:25]) == ("stream_lost", "The connection broke off.")
    assert await tab.over() == ("failed", "stream_lost")
    assert (await tab.offer_again()).json()["error_code"] == "call_over"


async def test_offers_that_are_refused_leave_the_call_as_it_is(
    tab: Browser, product: str, openai: Provider, settings: Settings
) -> None:
    await tab.begin()
    assert (await tab.offer_again()).json()["error_code"] == "call_over", "nothing was lost yet"
    tab.caller = tab.abandoned.pop()
    await tab.listen()
    await tab.connect()
    for wrong in (NOT_SDP, "", "v=0\r\n"):
        response = await tab.offer_again(offer=wrong)
        assert (response.status_code, response.json()["error_code"]) == (400, "invalid_request")
    other = await in_a_thread(lambda: Organization.objects.create(name="Charlie's", slug="charlies"))
    stranger = await in_a_thread(lambda: signed_in(other, "charlie"))
    async with page(product, slug=tab.slug, session=stranger) as charlie:
        charlie.details = dict(tab.details)
        assert (await charlie.offer_again()).status_code == 404
        charlie.details["callsUrl"] = charlie.details["callsUrl"].replace(tab.slug, "charlies")
        assert (await charlie.offer_again()).status_code == 404
    good, settings.OPENAI_BASE_URL = settings.OPENAI_BASE_URL, openai.url("refuse=503")
    response = await tab.offer_again()
    assert (response.status_code, response.json()["error_code"]) == (500, "provider_error")
    settings.OPENAI_BASE_URL = good
    for unheard_ms in ("-1", "soon", "9" * 30):
        assert (await tab.offer_again(unheard_ms=unheard_ms)).status_code in (201, 409)
    response = await tab.offer_again()
    assert (response.status_code, response.json()["error_code"]) == (409, "lost_again")
    tries = CallEvent.objects.filter(kind=reconnecting.RECONNECTING)
    await tries.aupdate(at=timezone.now() - reconnecting.TRIES_WITHIN)
    assert (await tab.offer_again()).status_code == 201
    assert (await Call.objects.aget()).state == "connected"
    await tab.send("end")
    await tab.ended()
    await in_a_thread(outbox.process_due)
