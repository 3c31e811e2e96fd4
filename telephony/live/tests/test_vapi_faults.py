"""A VAPI that refuses, is slow, breaks off or sends garbage: the caller hears something within 5 s, every call ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from pytest_django import Settings

from agents.configuration.models import AgentVersion
from voiceapp.simulators.vapi import VapiSimulator
from voiceapp.simulators.vapi.tests.running import running_vapi

from .conftest import Provider, end_of, kinds_of
from .handset import Handset

pytestmark = [pytest.mark.asyncio, pytest.mark.waits, pytest.mark.embedded]

KEY = "the-private-key"


@pytest.fixture(scope="module")
def simulator() -> Iterator[VapiSimulator]:
    with running_vapi(keys=[KEY]) as running:
        yield running


@pytest_asyncio.fixture
async def vapi(handset: Handset, settings: Settings, simulator: VapiSimulator) -> AsyncIterator[VapiSimulator]:
    settings.VAPI_API_KEY = KEY
    settings.VAPI_BASE_URL = simulator.base_url
    await sync_to_async(lambda: AgentVersion.objects.update(provider="vapi", greeting="Hello."))()
    yield simulator


async def hears_or_is_handed_on(handset: Handset, *, within_s: float) -> str:
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if await handset.hears_something(within_s=0.05):
            return "audio"
        if handset.closed.is_set():
            return (await handset.post_webhook("/twiml/after"))[0].tag
    return "nothing"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("refuse=401", "provider_refused"),
        ("refuse=402", "provider_refused"),
        ("refuse=429", "provider_failed"),
        ("refuse=503", "provider_failed"),
        ("concurrency_blocked", "provider_failed"),
        ("bad_json", "provider_failed"),
        ("no_url", "provider_failed"),
        ("no_answer", "provider_failed"),
        ("refuse_socket=503", "provider_failed"),
        ("refuse_socket=401", "provider_refused"),
        ("close=1011@0", "provider_failed"),
        ("text_audio", "provider_failed"),
    ],
)
async def test_a_call_that_cannot_be_held_ends_in_the_fallback(
    handset: Handset, vapi: VapiSimulator, settings: Settings, fault: str, reason: str
) -> None:
    settings.VAPI_BASE_URL = vapi.fault_url(fault)
    await handset.dial()
    assert await hears_or_is_handed_on(handset, within_s=5) != "nothing"
    assert await end_of(handset, within_s=40) == ("failed", reason)


@pytest.mark.parametrize("fault", ["flaky=1", "garbage", "nested", "steady_audio", "slow=700", "no_monitor"])
async def test_a_call_that_can_be_held_is_held(
    handset: Handset, vapi: VapiSimulator, settings: Settings, fault: str
) -> None:
    settings.VAPI_BASE_URL = vapi.fault_url(fault)
    await handset.dial()
    assert await handset.hears_something(within_s=5)
    await asyncio.sleep(2)
    assert not handset.closed.is_set()
    await handset.hang_up()
    assert await end_of(handset) == ("completed", "caller_hung_up")
    assert "agent_ready" in await kinds_of(handset)


@pytest.mark.parametrize("fault", ["drop_after=8", "close=1011@8", "stall=8"])
async def test_a_call_that_breaks_off_goes_on_or_ends_in_the_fallback(
    handset: Handset, vapi: VapiSimulator, settings: Settings, fault: str
) -> None:
    settings.VAPI_BASE_URL = vapi.fault_url(fault)
    await handset.dial()
    assert await hears_or_is_handed_on(handset, within_s=5) != "nothing"
    await asyncio.sleep(3)
    await handset.hang_up()
    assert (await end_of(handset, within_s=30))[1] in ("caller_hung_up", "provider_failed")


async def test_an_assistant_that_reaches_its_longest_time_ends_the_call(
    handset: Handset, vapi: VapiSimulator, settings: Settings
) -> None:
    settings.VAPI_BASE_URL = vapi.fault_url("limit_s=2")
    await handset.dial()
    assert await handset.hears_something(within_s=5)
    assert await end_of(handset, within_s=10) == ("completed", "too_long")


@pytest.mark.parametrize("fault", ["refuse=402", "concurrency_blocked", "slow=8000", "slow_socket=8000", "refuse=503"])
async def test_openai_takes_what_vapi_does_not(
    handset: Handset, vapi: VapiSimulator, settings: Settings, openai: Provider, fault: str
) -> None:
    settings.VAPI_BASE_URL = vapi.fault_url(fault)
    await sync_to_async(lambda: AgentVersion.objects.update(fails_over=True))()
    await handset.dial()
    assert await handset.hears_something(within_s=5)
    await handset.hang_up()
    assert await end_of(handset) == ("completed", "caller_hung_up")
    assert "failed_over" in await kinds_of(handset)
