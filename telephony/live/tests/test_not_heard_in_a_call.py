"""A whole call with a response that is not heard, and with a provider that names a wait."""

from __future__ import annotations

import asyncio
import time

import pytest
from pytest_django import Settings

from .conftest import Provider, call_of, end_of, kinds_of
from .handset import Handset

pytestmark = [pytest.mark.asyncio, pytest.mark.waits]


async def agent_has_spoken(handset: Handset) -> bool:
    call = await call_of(handset)
    return bool(await call.lines.filter(speaker="agent").acount())


@pytest.mark.parametrize("how", ["empty", "text", "mute", "cut", "filtered", "cancelled", "odd"])
async def test_a_greeting_that_was_not_heard_is_spoken_again(
    handset: Handset, openai: Provider, settings: Settings, how: str
) -> None:
    settings.OPENAI_BASE_URL = openai.url(f"ends={how}")
    await handset.dial()
    assert await handset.hears_something(within_s=5)
    await asyncio.sleep(1.5)  # half a sentence ends when it is spoken
    await handset.hang_up()
    assert await end_of(handset) == ("completed", "caller_hung_up")
    assert "response_not_heard" in await kinds_of(handset)


async def test_a_rate_limit_that_names_its_wait_does_not_end_the_call(
    handset: Handset, openai: Provider, settings: Settings
) -> None:
    settings.OPENAI_BASE_URL = openai.url("limited=3500")
    await handset.dial()
    began = time.monotonic()
    assert await handset.hears_something(within_s=5)  # the tone
    while not await agent_has_spoken(handset) and time.monotonic() < began + 8:
        await handset.hears_something(within_s=0.2)
    assert await agent_has_spoken(handset)
    assert time.monotonic() - began > 3
    await handset.hang_up()
    assert await end_of(handset) == ("completed", "caller_hung_up")
    assert (await kinds_of(handset)).count("response_failed") == 1
