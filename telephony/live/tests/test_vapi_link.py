"""The link to VAPI, closed at every step of its opening: no call is left open at VAPI."""

from __future__ import annotations

import asyncio

import pytest
from pytest_django import Settings

from telephony.bridge.core.actions import LinkLoss
from telephony.live.vapi_provider import VapiLink

from .scripted_vapi import ScriptedVapi, scripted_vapi

pytestmark = pytest.mark.asyncio


def link_to(server: ScriptedVapi, settings: Settings) -> tuple[VapiLink, list[str | LinkLoss]]:
    settings.VAPI_API_KEY = "the-private-key"
    settings.VAPI_BASE_URL = server.url
    seen: list[str | LinkLoss] = []
    link = VapiLink(
        "an-assistant", {}, on_opened=lambda: seen.append("opened"), on_frame=seen.append, on_lost=seen.append
    )
    return link, seen


async def all_are_ended(server: ScriptedVapi) -> None:
    async with asyncio.timeout(5):
        while len(server.ended) < len(server.created) or server.open_sockets:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("is_canceled", [False, True])
@pytest.mark.parametrize("turns", [0, 1, 2])
async def test_a_call_is_ended_whose_link_is_closed_just_after_its_creation(
    settings: Settings, turns: int, *, is_canceled: bool
) -> None:
    """`turns` of the event loop later: VAPI has answered, and `open` has not gone on yet."""
    async with scripted_vapi() as server:
        link, seen = link_to(server, settings)
        before = asyncio.all_tasks()
        opening = asyncio.create_task(link.open())
        creation: set[asyncio.Task[object]] = set()
        while not any(task.done() for task in creation):
            await asyncio.sleep(0)
            creation |= {task for task in asyncio.all_tasks() - before - {opening} if "acreate_call" in repr(task)}
        for _ in range(turns):
            await asyncio.sleep(0)
        link.close()
        if is_canceled:
            opening.cancel()
        await asyncio.wait({opening})
        assert len(server.created) == 1
        await all_are_ended(server)
        assert "opened" not in seen


@pytest.mark.parametrize("says", ["Hello.", "ended"])
async def test_an_end_without_an_event_is_looked_up_whatever_was_said(settings: Settings, says: str) -> None:
    async with scripted_vapi() as server:
        link, seen = link_to(server, settings)
        await link.open()
        async with asyncio.timeout(5):
            while not server.open_sockets:
                await asyncio.sleep(0.01)
        await server.event("transcript", role="user", transcriptType="final", transcript=says)
        await server.end("assistant-ended-call", is_told=False)
        async with asyncio.timeout(5):
            while not any(isinstance(each, LinkLoss) for each in seen):
                await asyncio.sleep(0.01)
        link.close()
        assert any(isinstance(each, str) and "assistant-ended-call" in each for each in seen)


async def test_a_link_that_is_closed_twice_ends_its_call_once(settings: Settings) -> None:
    async with scripted_vapi() as server:
        link, seen = link_to(server, settings)
        await link.open()
        async with asyncio.timeout(5):
            while "opened" not in seen:
                await asyncio.sleep(0.01)
        link.close()
        link.close()
        await all_are_ended(server)
        assert server.ended == [server.created[0]["id"]]
