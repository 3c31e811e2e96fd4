"""Several server processes: the one with the page's socket carries the call, whichever answers its requests."""

from __future__ import annotations

import asyncio

import pytest
from websockets.exceptions import InvalidStatus

from telephony.live.registry import live_calls

from .browser import Browser
from .conftest import Provider, comes_true
from .served import served

pytestmark = [pytest.mark.asyncio, pytest.mark.waits]


async def test_the_process_of_the_socket_carries_the_call(tab: Browser, openai: Provider, unused_tcp_port: int) -> None:
    here = tab.address
    async with served(unused_tcp_port) as other:
        await tab.begin()
        tab.address = other.address
        await tab.listen()
        await tab.shows(state="pending")
        tab.address = here
        await tab.connect()
        await tab.send("joined")
        await tab.caller.until("output_audio_buffer.started")
        assert not live_calls
        assert openai.connections == 1
        call = await tab.call()
        assert (call.state, call.process != "") == ("connected", True)

        await tab.send("end")

        assert (await tab.ended())["endReason"] == "caller_hung_up"
        assert await tab.over() == ("completed", "caller_hung_up")


async def test_a_socket_that_comes_back_elsewhere_types_interrupts_and_ends_the_call(
    tab: Browser, openai: Provider, unused_tcp_port: int
) -> None:
    async with served(unused_tcp_port) as other:
        await tab.dial()
        tab.drop_socket()
        tab.address = other.address
        tab.messages.clear()
        await tab.listen()
        await tab.shows(state="connected")
        await tab.caller.until("output_audio_buffer.started")
        await tab.send("interrupt")
        await tab.caller.until("output_audio_buffer.cleared")
        await tab.send("say", text="When are you open?")
        await tab.caller.until("output_audio_buffer.started", 2)
        await tab.send("end")
        assert (await tab.ended())["endReason"] == "caller_hung_up"
    assert await asyncio.to_thread(comes_true, lambda: not live_calls, 5)


async def test_a_database_process_does_the_queries(tab: Browser, openai: Provider, unused_tcp_port: int) -> None:
    async with served(unused_tcp_port, DATABASE_PROCESS="true") as server:
        tab.address = server.address
        await tab.dial()
        await tab.caller.until("output_audio_buffer.started")
        await tab.shows(state="connected")
        await tab.send("end")
        assert (await tab.ended())["endReason"] == "caller_hung_up"
        with pytest.raises(InvalidStatus):
            await tab.listen(Cookie="")


async def test_the_page_ends_the_call_by_a_request(tab: Browser) -> None:
    await tab.dial()
    await tab.shows(state="connected")
    assert (await tab.delete()).status_code == 200
    assert (await tab.ended())["endReason"] == "ended_by_request"
