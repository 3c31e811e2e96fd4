"""The caller hangs up, at any time: the call ends in a terminal state and no socket stays open."""

from __future__ import annotations

import asyncio

import pytest
from pytest_django import Settings

from voiceapp.core.http.websocket_protocol import DirectWebSocketProtocol

from .conftest import Provider, comes_true, end_of
from .handset import Handset

pytestmark = [pytest.mark.asyncio, pytest.mark.waits]


async def test_the_caller_hears_the_greeting_and_hangs_up(handset: Handset, openai: Provider) -> None:
    await handset.dial()
    assert await handset.hears_something(within_s=5)
    assert openai.connections == 1

    await handset.hang_up()

    assert await end_of(handset) == ("completed", "caller_hung_up")


@pytest.mark.parametrize("after_ms", [0, 10, 30, 60, 120, 250, 600])
async def test_hanging_up_at_any_time_ends_the_call(handset: Handset, after_ms: int) -> None:
    await handset.dial()
    await asyncio.sleep(after_ms / 1000)

    await handset.hang_up()

    assert await end_of(handset) == ("completed", "caller_hung_up")


@pytest.mark.parametrize("after_ms", [0, 50, 400])
async def test_a_socket_that_vanishes_is_a_lost_stream(handset: Handset, after_ms: int) -> None:
    await handset.dial()
    await asyncio.sleep(after_ms / 1000)

    handset.vanish()

    assert await end_of(handset) == ("failed", "stream_lost")


async def test_hanging_up_before_start_leaves_the_call_ringing_for_the_carrier_to_end(
    handset: Handset, openai: Provider
) -> None:
    await handset.ring()
    await handset.open()

    await handset.leave()

    assert openai.connections == 0


async def test_hanging_up_while_the_provider_is_still_being_reached(
    handset: Handset, openai: Provider, settings: Settings
) -> None:
    settings.OPENAI_BASE_URL = openai.url("accept_hang")
    await handset.dial()
    assert await asyncio.to_thread(comes_true, lambda: openai.connections == 1, 3)

    await handset.hang_up()

    assert await end_of(handset) == ("completed", "caller_hung_up")


async def test_a_farewell_counts_even_when_our_own_words_failed_first(
    handset: Handset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`stop` and the close come in one segment: speaking fails before `stop` has been read."""

    monkeypatch.setattr(DirectWebSocketProtocol, "send_texts", lambda *_: None)
    await handset.dial()
    await asyncio.sleep(0.3)

    await handset.hang_up()

    assert await end_of(handset) == ("completed", "caller_hung_up")
