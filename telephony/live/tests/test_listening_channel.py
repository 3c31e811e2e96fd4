"""The way of captions and sound from one process to another: nothing of it makes a call wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from pytest_django import Settings

from telephony.live.listening.channel import inlet, outlet
from telephony.live.listening.listeners import Frame, Listener
from telephony.live.listening.outlet import MOST_WAITING

pytestmark = pytest.mark.asyncio


@pytest.fixture(params=["machine", "redis"])
def channel(request: pytest.FixtureRequest, settings: Settings) -> None:
    if request.param == "machine":
        settings.REDIS_URL = ""
    elif not settings.REDIS_URL:
        pytest.skip("needs REDIS_URL: python scripts/with_servers.py")


async def until(claim: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not claim():
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("channel")
async def test_frames_arrive_in_order_until_either_side_is_gone() -> None:
    heard: list[Frame] = []
    listener = Listener(heard.append, wants_sound=True)
    async with inlet(listener) as command:
        away = outlet(command)
        assert away is not None
        assert away.listener.wants_sound
        frames: list[Frame] = ['{"event":"caption"}', b"\xff" * 1600, '{"event":"ended"}']
        for frame in frames:
            away.listener.hear(frame)
        await until(lambda: heard == frames)
        assert not listener.gone.is_set()
    await until(away.listener.gone.is_set)


@pytest.mark.usefixtures("channel")
async def test_a_slow_listener_loses_the_oldest_and_nobody_waits() -> None:
    heard: list[Frame] = []
    async with inlet(Listener(heard.append, wants_sound=True)) as command:
        away = outlet(command)
        assert away is not None
        for number in range(10 * MOST_WAITING):  # without a pause: nothing is sent meanwhile
            away.listener.hear(bytes([number]))
        await until(lambda: len(heard) == MOST_WAITING)
        assert heard[-1] == bytes([10 * MOST_WAITING - 1])


async def test_what_names_no_inlet_is_nothing() -> None:
    assert outlet("sound") is None
    assert outlet("sound pigeon:coop") is None
    lost = outlet("lines machine:/nowhere/at/all")
    assert lost is not None
    await until(lost.listener.gone.is_set)
