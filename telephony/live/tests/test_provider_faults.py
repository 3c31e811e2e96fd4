"""The provider refuses, drops, stalls or falls silent: the caller hears something within 5 s, and every call ends."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from pytest_django import Settings

from .conftest import Provider, comes_true, end_of, kinds_of
from .handset import Handset

pytestmark = [pytest.mark.asyncio, pytest.mark.waits, pytest.mark.embedded]

FALL_BACKS = ("Say", "Dial", "Record")


async def hears_or_is_handed_on(handset: Handset, *, within_s: float) -> str:
    """`audio` when the agent is heard, else the first verb of what follows the closed socket."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if await handset.hears_something(within_s=0.05):
            return "audio"
        if handset.closed.is_set():
            return (await handset.post_webhook("/twiml/after"))[0].tag
    return "nothing"


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_ends_the_call_at_once_with_the_fallback(
    handset: Handset, openai: Provider, settings: Settings, status: int
) -> None:
    settings.OPENAI_BASE_URL = openai.url(f"refuse={status}")

    await handset.dial()

    assert await hears_or_is_handed_on(handset, within_s=5) in FALL_BACKS
    assert await end_of(handset) == ("failed", "provider_refused")


@pytest.mark.parametrize(
    "fault", ["refuse=500", "refuse=503", "refuse=429", "accept_hang", "drop_after=1", "close=1001@6"]
)
async def test_a_provider_that_cannot_be_reached_ends_the_call_with_the_fallback(
    handset: Handset, openai: Provider, settings: Settings, fault: str
) -> None:
    settings.OPENAI_BASE_URL = openai.url(fault)

    await handset.dial()

    assert await hears_or_is_handed_on(handset, within_s=5) != "nothing"
    assert await end_of(handset, within_s=15) == ("failed", "provider_failed")


async def test_an_address_that_refuses_connections_ends_the_call_with_the_fallback(
    handset: Handset, settings: Settings
) -> None:
    settings.OPENAI_BASE_URL = "http://127.0.0.1:1/v1"

    await handset.dial()

    assert await hears_or_is_handed_on(handset, within_s=5) != "nothing"
    assert await end_of(handset, within_s=10) == ("failed", "provider_failed")


async def test_one_refusal_that_passes_is_not_noticed(handset: Handset, openai: Provider, settings: Settings) -> None:
    settings.OPENAI_BASE_URL = openai.url("flaky=1")

    await handset.dial()

    assert await handset.hears_something(within_s=5)
    assert await asyncio.to_thread(comes_true, lambda: openai.connections == 1, 5)
    await handset.hang_up()
    assert await end_of(handset) == ("completed", "caller_hung_up")


@pytest.mark.parametrize("fault", ["drop_in_response", "close=1011@12", "close=1001@12", "garbage", "big_frame=3"])
async def test_a_fault_in_the_middle_is_survived(
    handset: Handset, openai: Provider, settings: Settings, fault: str
) -> None:
    settings.OPENAI_BASE_URL = openai.url(fault)

    await handset.dial()

    assert await handset.hears_something(within_s=5)
    await handset.hang_up()
    # The new session is spoilt at the same event: a slow caller sees the second loss, which is not tried again.
    assert await end_of(handset) in (("completed", "caller_hung_up"), ("failed", "provider_failed"))


@pytest.mark.parametrize("fault", ["silent", "stall=2", "stall=6", "big_frame=5"])
async def test_a_provider_that_falls_silent_is_covered_within_five_seconds(
    handset: Handset, openai: Provider, settings: Settings, fault: str
) -> None:
    settings.OPENAI_BASE_URL = openai.url(fault)

    await handset.dial()

    assert await hears_or_is_handed_on(handset, within_s=5) != "nothing"
    await handset.hang_up()
    assert (await end_of(handset))[0] in ("completed", "failed")


async def test_a_closed_session_is_replaced_and_the_timeline_says_so(
    handset: Handset, openai: Provider, settings: Settings
) -> None:
    settings.OPENAI_BASE_URL = openai.url("session_limit_s=1")

    await handset.dial()
    assert await handset.hears_something(within_s=5)
    await asyncio.sleep(2)

    await handset.hang_up()
    await end_of(handset)
    kinds = await kinds_of(handset)
    assert "agent_lost" in kinds
    assert "agent_resumed" in kinds


async def test_the_key_goes_to_the_provider_and_to_no_address_it_redirects_to(
    handset: Handset, settings: Settings, unused_tcp_port: int
) -> None:
    requests: list[bytes] = []

    async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        place = f"http://127.0.0.1:{unused_tcp_port}/elsewhere"
        writer.write(f"HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n".encode())
        writer.close()

    server: Any = await asyncio.start_server(redirect, "127.0.0.1", unused_tcp_port)
    settings.OPENAI_BASE_URL = f"http://127.0.0.1:{unused_tcp_port}/v1"

    await handset.dial()

    assert (await end_of(handset))[0] == "failed"
    assert all(b"GET /v1/realtime?model=" in request for request in requests)
    assert requests
    assert b"authorization: bearer sk-of-the-live-tests" in requests[0].lower()
    assert b"openai-beta" not in requests[0].lower()
    server.close()
