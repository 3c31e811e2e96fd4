"""The way of captions and sound from one process to another: nothing of it makes a call wait."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import cast
from uuid import uuid4

import pytest
from pytest_django import Settings
from redis.asyncio import Redis

from sessions.calls.facts import LineSpoken, Speaker
from telephony.bridge.agent_side import AgentSide
from telephony.live.listening.channel import inlet, outlet
from telephony.live.listening.listeners import ENDED, Frame, Listener, Listeners
from telephony.live.listening.outlet import MOST_WAITING, Outlet

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


async def test_calls_share_one_connection_to_redis(settings: Settings) -> None:
    if not settings.REDIS_URL:
        pytest.skip("needs REDIS_URL: python scripts/with_servers.py")
    heard: list[Frame] = []
    name = f"test-{uuid4().hex}"  # other tests share the server
    async with AsyncExitStack() as stack, Redis.from_url(settings.REDIS_URL) as redis:
        settings.REDIS_URL += f"?client_name={name}"
        outlets: list[Outlet] = []
        for _ in range(5):
            away = outlet(await stack.enter_async_context(inlet(Listener(heard.append, wants_sound=False))))
            assert away is not None
            outlets.append(away)
        for number, each in enumerate(outlets):
            each.listener.hear(f"caption {number}")
        await until(lambda: len(heard) == len(outlets))
        ours = [each for each in await redis.client_list() if each["name"] == name]
        assert len([each for each in ours if each["cmd"] == "publish"]) == 1
        assert len(ours) == len(outlets) + 1


class Core:
    """Only notes whether it is to show lines."""

    shows = False

    def show_lines(self, shows: bool) -> None:
        self.shows = shows


async def test_a_line_that_grows_is_passed_on_with_the_clock_and_its_end_before_the_end_of_the_call() -> None:
    heard: list[Frame] = []
    core = Core()
    listeners = Listeners(keeps_lines=False)
    listeners.add(Listener(heard.append, wants_sound=False))
    listeners.tick(cast("AgentSide", core), 100)
    assert core.shows
    line = LineSpoken("item_1", Speaker.AGENT, "We", 0, 1)
    for text in ("We", "We are", "We are open"):
        listeners.fact(replace(line, text=text), is_final=False)
    assert heard == []
    listeners.tick(cast("AgentSide", core), 200)
    listeners.tick(cast("AgentSide", core), 300)
    listeners.fact(replace(line, text="We are open."), is_final=True)
    listeners.end()
    assert [frame if frame == ENDED else json.loads(frame)["caption"]["text"] for frame in heard] == [
        "We are open",
        "We are open.",
        ENDED,
    ]
