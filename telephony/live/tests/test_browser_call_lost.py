"""A browser that never comes, a provider that vanishes, a process that is killed: the call ends, here and at OpenAI."""

from __future__ import annotations

import asyncio
import signal
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from sessions.calls.models import Call
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from telephony.bridge import browser_call
from telephony.live.registry import live_calls
from telephony.twilio.services.lost_calls import close_lost_calls

from .browser import Browser
from .conftest import Provider, comes_true, in_a_thread
from .served import served

pytestmark = [pytest.mark.asyncio, pytest.mark.waits]


async def test_a_browser_that_never_connects(tab: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser_call, "JOIN_WITHIN_MS", 500)
    await tab.begin()
    await tab.listen()
    assert (await tab.send_offer()).status_code == 201  # and the answer is thrown away
    assert (await tab.ended())["endReason"] == "browser_never_joined"
    assert await tab.over() == ("missed", "browser_never_joined")


async def test_a_call_that_is_never_offered_is_closed_by_the_reaper(tab: Browser) -> None:
    await tab.begin()
    await Call.objects.aupdate(created_at=timezone.now() - timedelta(minutes=2))
    assert await in_a_thread(close_lost_calls) == 1
    assert await tab.over() == ("missed", "not_answered")


async def test_openai_vanishes_with_the_call(
    tab: Browser, openai: Provider, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser_call, "RETURN_WITHIN_MS", 300)
    settings.OPENAI_BASE_URL = openai.url("drop_after=12")
    await tab.begin()
    await tab.listen()
    await tab.connect()
    await tab.send("joined")
    assert (await tab.ended())["endReason"] == "provider_failed"
    assert await tab.over() == ("failed", "provider_failed")


async def test_openai_answers_the_offer_and_then_nothing(tab: Browser, openai: Provider, settings: Settings) -> None:
    settings.OPENAI_BASE_URL = openai.url("stall=0")
    await tab.begin()
    await tab.listen()
    response = await tab.send_offer()
    await tab.caller.accept(response.text)
    await tab.send("joined")
    ended = await tab.ended()
    assert (ended["endReason"], bool(ended["message"])) == ("provider_failed", True)
    assert await tab.over() == ("failed", "provider_failed")


async def test_a_lost_side_channel_is_opened_again(tab: Browser, openai: Provider) -> None:
    await tab.dial()
    await tab.caller.until("output_audio_buffer.started")
    openai.thread.do(openai.server.close_sessions(1011))
    assert await asyncio.to_thread(comes_true, lambda: openai.connections == 1, 5)
    await tab.caller.until("output_audio_buffer.stopped")
    await tab.send("say", text="When are you open?")
    await tab.caller.until("output_audio_buffer.started", 2)
    await tab.send("end")
    assert (await tab.ended())["endReason"] == "caller_hung_up"


async def test_a_side_channel_that_cannot_be_had(tab: Browser, openai: Provider, settings: Settings) -> None:
    settings.OPENAI_BASE_URL = openai.url("no_side_channel")
    await tab.begin()
    await tab.listen()
    response = await tab.send_offer()
    await tab.caller.accept(response.text)
    ended = await tab.ended()
    assert ended["endReason"] == "provider_refused"
    assert ended["message"]
    assert await tab.over() == ("failed", "provider_refused")


async def test_a_side_channel_that_cannot_be_had_again(tab: Browser, openai: Provider, settings: Settings) -> None:
    """The caller would talk on with an agent whose tools nobody runs."""
    await tab.dial()
    await tab.caller.until("output_audio_buffer.started")
    settings.OPENAI_BASE_URL = openai.url("no_side_channel")
    openai.thread.do(openai.server.close_sessions(1011))
    ended = await tab.ended()
    assert (ended["endReason"], bool(ended["message"])) == ("provider_refused", True)
    assert await tab.over() == ("failed", "provider_refused")


async def test_the_hang_up_is_done_later_when_openai_does_not_answer(
    tab: Browser, openai: Provider, settings: Settings
) -> None:
    await tab.dial()
    good = settings.OPENAI_BASE_URL
    settings.OPENAI_BASE_URL = openai.url("refuse=503")
    await tab.send("end")
    await tab.ended()
    assert openai.server.live_calls == 1
    settings.OPENAI_BASE_URL = good
    # To hang up twice does no harm: the page and the process that carries the call may both want it.
    assert await OutboxMessage.objects.filter(topic="browser_call.hang_up").aexists()
    await in_a_thread(outbox.process_due)
    assert await asyncio.to_thread(comes_true, lambda: openai.server.live_calls == 0, 5)


async def test_a_killed_process_is_cleaned_up_after(tab: Browser, openai: Provider, unused_tcp_port: int) -> None:
    async with served(unused_tcp_port) as server:
        tab.address = server.address
        await tab.dial()
        await tab.caller.until("output_audio_buffer.started")
        server.send(signal.SIGKILL)
        await server.exit_status(within_s=5)
    assert openai.server.live_calls == 1  # it talks on, with nobody to run its tools
    await Call.objects.aupdate(lease_expires_at=timezone.now() - timedelta(seconds=1))
    assert await in_a_thread(close_lost_calls) == 1
    assert await tab.over() == ("failed", "lost_process")
    assert await asyncio.to_thread(comes_true, lambda: openai.server.live_calls == 0, 5)


async def test_a_server_that_stops_ends_the_call_and_says_so(tab: Browser, unused_tcp_port: int) -> None:
    async with served(unused_tcp_port, DRAIN_BUDGET_S=1) as server:
        tab.address = server.address
        await tab.dial()
        server.send(signal.SIGTERM)
        assert (await tab.ended())["endReason"] == "server_stopping"
        assert await server.exit_status(within_s=15) == 0
    assert not live_calls
    assert await tab.over() == ("failed", "server_stopping")
