"""An AI provider of another protocol is a dialect, a link and a line in the factory; nothing else changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.utils import timezone

from agents.configuration.models import AgentVersion
from agents.greetings.models import KeptGreeting
from sessions.calls.models import TranscriptLine, Turn
from telephony.live import providers

from .conftest import call_of, end_of, kinds_of
from .handset import Handset
from .tiny_provider import TONE, TinyServer, tiny_provider, tiny_server

pytestmark = [pytest.mark.asyncio, pytest.mark.waits]


@pytest_asyncio.fixture
async def tiny(handset: Handset, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TinyServer]:
    """The published agent is played by the tiny provider."""
    async with tiny_server() as server:
        factory = {**providers.PROVIDERS, "tiny": partial(tiny_provider, server.url)}
        monkeypatch.setattr(providers, "PROVIDERS", factory)
        await sync_to_async(lambda: AgentVersion.objects.update(provider="tiny", greeting="Good evening."))()
        yield server


async def until(claim: object, within_s: float = 15) -> None:
    async with asyncio.timeout(within_s):
        while not claim():  # type: ignore[operator]
            await asyncio.sleep(0.02)


async def lines_of(handset: Handset) -> list[tuple[str, str]]:
    call = await call_of(handset)
    lines = TranscriptLine.objects.filter(call=call).order_by("spoken_at_ms", "id")
    return [(line.speaker, line.text) async for line in lines]


async def test_a_call_is_greeted_heard_and_answered(handset: Handset, tiny: TinyServer) -> None:
    await handset.dial()
    assert await handset.hears_something(within_s=5)
    await until(lambda: tiny.of_kind("audio"))
    assert [frame["text"] for frame in tiny.of_kind("say")] == ["Good evening."]
    await asyncio.sleep(0.5)  # the greeting is played at the speed of sound
    await tiny.turn("A margherita, please.")
    await until(lambda: len(tiny.of_kind("say")) == 2)
    await asyncio.sleep(0.8)
    await handset.hang_up()
    assert await end_of(handset, within_s=5) == ("completed", "caller_hung_up")
    assert await lines_of(handset) == [
        ("agent", "Good evening."),
        ("caller", "A margherita, please."),
        ("agent", "My own words."),
    ]
    assert await Turn.objects.filter(call=await call_of(handset)).acount() == 1


async def test_an_interruption_cuts_its_item_where_it_was_heard(handset: Handset, tiny: TinyServer) -> None:
    tiny.tone_frames = 200
    await handset.dial()
    assert await handset.hears_something(within_s=5)
    await asyncio.sleep(0.5)
    await tiny.turn("Wait.")
    await until(lambda: tiny.of_kind("cut"))
    (cut,) = tiny.of_kind("cut")
    assert 300 <= cut["ms"] <= 1500
    assert tiny.of_kind("stop") or len(tiny.of_kind("say")) == 2
    await handset.hang_up()
    assert await end_of(handset, within_s=5) == ("completed", "caller_hung_up")


async def test_a_lost_link_is_opened_again_with_the_conversation(handset: Handset, tiny: TinyServer) -> None:
    await handset.dial()
    assert await handset.hears_something(within_s=5)
    await asyncio.sleep(0.6)
    await tiny.drop()
    await until(lambda: tiny.of_kind("past"))
    assert any("Good evening." in line for line in tiny.of_kind("past")[0]["lines"])
    await handset.hang_up()
    assert await end_of(handset, within_s=5) == ("completed", "caller_hung_up")
    assert "agent_lost" in await kinds_of(handset)


async def test_a_kept_greeting_is_played_and_remembered_and_cut(handset: Handset, tiny: TinyServer) -> None:
    kept = {
        "provider": "tiny",
        "text": "Good evening.",
        "state": "done",
        "done_at": timezone.now(),
        "audio": TONE * 150,
    }
    await KeptGreeting.objects.aupdate(**kept)
    await handset.dial()
    await until(lambda: tiny.of_kind("past"))
    assert tiny.of_kind("past")[0]["lines"] == ["agent: Good evening."]
    await until(lambda: len(handset.heard) >= 2_000 * 8)
    await tiny.turn("Wait.")
    await until(lambda: len(tiny.of_kind("past")) == 2)
    assert tiny.of_kind("past")[1]["lines"] == ["agent: Good"]
    assert tiny.of_kind("say")[0]["text"] == ""
    await handset.hang_up()
    assert await end_of(handset, within_s=5) == ("completed", "caller_hung_up")
