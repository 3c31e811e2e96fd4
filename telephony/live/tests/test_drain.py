"""The server stops: on the first signal calls go on, on the second they end now, and `kill -9` is cleaned up after."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

import pytest
from django.utils import timezone
from pytest_django import Settings
from websockets.exceptions import InvalidStatus

from sessions.calls.models import Call
from telephony.twilio.services.lost_calls import close_lost_calls

from .conftest import Provider, call_of, comes_true, end_of, in_a_thread
from .handset import Handset
from .served import served

pytestmark = [pytest.mark.asyncio, pytest.mark.waits]


async def test_a_live_call_goes_on_and_no_new_one_is_taken(
    handset: Handset, new_handset: Callable[[], Handset], unused_tcp_port: int
) -> None:
    late = new_handset()
    async with served(unused_tcp_port, DRAIN_BUDGET_S=20) as server:
        handset.base_url = late.base_url = server.address
        await handset.dial()
        assert await handset.hears_something(within_s=5)

        server.send(signal.SIGTERM)
        await asyncio.sleep(0.3)

        late.stream_url = handset.stream_url
        with pytest.raises(InvalidStatus):
            await late.open()
        assert (await late.ring()).find("./Connect") is None
        heard = len(handset.heard)
        await asyncio.sleep(0.5)
        assert not handset.closed.is_set()
        assert len(handset.heard) > heard

        await handset.hang_up()
        assert await server.exit_status(within_s=10) == 0
    assert await end_of(handset, within_s=1) == ("completed", "caller_hung_up")


async def test_a_call_longer_than_the_budget_is_handed_to_the_fallback(
    handset: Handset, openai: Provider, unused_tcp_port: int
) -> None:
    async with served(unused_tcp_port, DRAIN_BUDGET_S=1) as server:
        handset.base_url = server.address
        await handset.dial()
        assert await handset.hears_something(within_s=5)

        server.send(signal.SIGTERM)

        assert await handset.close_comes(within_s=5) == 1000
        assert (await handset.post_webhook("/twiml/after"))[0].tag in ("Say", "Dial")
        assert await server.exit_status(within_s=10) == 0
    assert await end_of(handset, within_s=1) == ("failed", "server_stopping")
    assert openai.connections == 0


async def test_a_second_signal_ends_the_calls_now(handset: Handset, unused_tcp_port: int) -> None:
    async with served(unused_tcp_port, DRAIN_BUDGET_S=60) as server:
        handset.base_url = server.address
        await handset.dial()
        assert await handset.hears_something(within_s=5)
        server.send(signal.SIGINT)
        await asyncio.sleep(0.2)

        server.send(signal.SIGINT)

        assert await server.exit_status(within_s=30) == 0  # of the 60 s of the call
    assert await end_of(handset, within_s=1) == ("failed", "server_stopping")


async def test_an_idle_server_stops_at_once(product: str, unused_tcp_port: int) -> None:
    async with served(unused_tcp_port, DRAIN_BUDGET_S=60) as server:
        server.send(signal.SIGTERM)

        assert await server.exit_status(within_s=30) == 0


async def test_after_kill_9_the_reaper_ends_the_call_when_its_lease_has_run_out(
    handset: Handset, openai: Provider, settings: Settings, unused_tcp_port: int
) -> None:
    settings.TWILIO_BASE_URL = "http://127.0.0.1:1"
    async with served(unused_tcp_port) as server:
        handset.base_url = server.address
        await handset.dial()
        assert await handset.hears_something(within_s=5)

        server.send(signal.SIGKILL)

        await handset.close_comes(within_s=5)
    assert await asyncio.to_thread(comes_true, lambda: openai.connections == 0, 5)
    assert (await call_of(handset)).state == "connected"
    assert await in_a_thread(close_lost_calls) == 0  # the lease has not run out

    settings.TWILIO_AUTH_TOKEN = ""  # no carrier that could confirm the end
    await Call.objects.aupdate(lease_expires_at=timezone.now())
    assert await in_a_thread(close_lost_calls) == 1

    assert await end_of(handset, within_s=1) == ("failed", "lost_process")
