"""Calls take a link that was connected before they began; the caller does not wait for it to connect."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from pytest_django import Settings

from agents.configuration.models import AgentVersion
from telephony.live.idle_links import idle_links
from voiceapp.core import metrics

from .conftest import Provider, Serving, call_of, comes_true, end_of, in_a_thread
from .handset import Handset
from .served import served

pytestmark = [pytest.mark.asyncio, pytest.mark.waits, pytest.mark.embedded]

CONNECTS_AFTER_S, SPEAKS_AFTER_S = 0.6, 0.7
SLOW = (f"slow_connect={CONNECTS_AFTER_S * 1000:.0f}", f"slow={SPEAKS_AFTER_S * 1000:.0f}")


@pytest.fixture
def idle(product: str, serving_here: Serving, openai: Provider, settings: Settings) -> Iterator[Callable[[], bool]]:
    """Whether a link waits for a call. Afterwards the process closes it."""
    settings.MAX_IDLE_LINKS = 10
    settings.OPENAI_BASE_URL = openai.url(*SLOW)
    # Another server of this process, in another test, has started and stopped them on its own event loop.
    run_here = partial(asyncio.run_coroutine_threadsafe, loop=serving_here.loop)
    run_here(start_anew()).result(15)
    yield lambda: metrics.idle_links._value.get() == 1
    run_here(start_anew()).result(15)


async def start_anew() -> None:
    idle_links.stop()
    idle_links.start()


def idle_links_taken() -> float:
    return float(metrics.call_links.labels("idle")._value.get())


async def comes(claim: Callable[[], bool]) -> bool:
    return await asyncio.to_thread(comes_true, claim, 15)


async def silence_before_sound_s(handset: Handset) -> float:
    assert await handset.hears_something(within_s=8)
    assert handset.sound_came_at is not None
    assert handset.started_at is not None
    return handset.sound_came_at - handset.started_at


async def detail_of(handset: Handset, kind: str) -> list[dict[str, Any]]:
    """The details of these events, once there are any: they are written once a second."""
    call = await call_of(handset)
    for _ in range(100):
        if found := [event.detail async for event in call.events.filter(kind=kind)]:
            return found
        await asyncio.sleep(0.05)
    return []


async def test_the_second_caller_hears_the_agent_sooner(
    new_handset: Callable[[], Handset], idle: Callable[[], bool]
) -> None:
    first, second = new_handset(), new_handset()
    taken = idle_links_taken()
    await first.dial()
    first_waited_s = await silence_before_sound_s(first)
    assert first_waited_s > CONNECTS_AFTER_S + SPEAKS_AFTER_S
    await first.hang_up()
    assert await comes(idle)

    await second.dial()

    assert await silence_before_sound_s(second) < first_waited_s
    await second.hang_up()
    assert await end_of(second) == ("completed", "caller_hung_up")
    assert await detail_of(first, "agent_ready") == [{}]
    assert await detail_of(second, "agent_ready") == [{"was_idle": 1}]
    assert idle_links_taken() == taken + 1


async def test_a_version_with_another_model_connects_its_own(
    new_handset: Callable[[], Handset], idle: Callable[[], bool]
) -> None:
    first, second = new_handset(), new_handset()
    await first.dial()
    assert await first.hears_something(within_s=8)
    await first.hang_up()
    assert await comes(idle)
    await in_a_thread(lambda: AgentVersion.objects.update(model="gpt-realtime-mini"))

    await second.dial()

    assert await silence_before_sound_s(second) > CONNECTS_AFTER_S + SPEAKS_AFTER_S
    assert await detail_of(second, "agent_ready") == [{}]
    await second.hang_up()


async def test_a_call_that_lost_its_idle_link_connects_the_next_itself(
    new_handset: Callable[[], Handset], idle: Callable[[], bool], openai: Provider, settings: Settings
) -> None:
    settings.OPENAI_BASE_URL = openai.url("close=1011@12")
    first, second = new_handset(), new_handset()
    await first.dial()
    assert await first.hears_something(within_s=8)
    await first.hang_up()
    assert await comes(idle)

    await second.dial()

    assert await second.hears_something(within_s=8)
    assert (await detail_of(second, "agent_resumed"))[0] == {}
    assert (await detail_of(second, "agent_ready")) == [{"was_idle": 1}]
    await second.hang_up()


async def test_the_drain_closes_idle_links_and_no_call(
    handset: Handset, idle: Callable[[], bool], openai: Provider, unused_tcp_port: int
) -> None:
    async with served(unused_tcp_port, DRAIN_BUDGET_S=20) as server:
        handset.base_url = server.address
        await handset.dial()
        assert await handset.hears_something(within_s=8)
        assert await comes(lambda: openai.connections == 2)

        server.send(signal.SIGTERM)

        assert await comes(lambda: openai.connections == 1)
        assert not handset.closed.is_set()
        await handset.hang_up()
        assert await server.exit_status(within_s=10) == 0
    assert await end_of(handset, within_s=1) == ("completed", "caller_hung_up")


async def test_a_server_that_is_switched_off_connects_none(
    handset: Handset, idle: Callable[[], bool], openai: Provider, unused_tcp_port: int
) -> None:
    async with served(unused_tcp_port, MAX_IDLE_LINKS=0) as server:
        handset.base_url = server.address
        await handset.dial()
        assert await handset.hears_something(within_s=8)
        await asyncio.sleep(CONNECTS_AFTER_S + 0.4)

        assert openai.connections == 1
        await handset.hang_up()
