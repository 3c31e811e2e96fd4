"""A kept greeting is heard at once, whatever the provider takes to connect and to speak."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.utils import timezone
from pytest_django import Settings
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from agents.configuration.models import AgentVersion
from agents.greetings.models import KeptGreeting
from sessions.calls.models import TranscriptLine, Turn

from .conftest import call_of, end_of, in_a_thread, kinds_of
from .handset import Handset
from .scripted_provider import ScriptedProvider, url_of
from .tiny_provider import TONE

pytestmark = [pytest.mark.asyncio, pytest.mark.waits, pytest.mark.embedded]

TEXT = "Welcome to the Golden Fork, how can I help you today?"
LASTS_MS = 3_000
CONNECTS_AFTER_S, SPEAKS_AFTER_S = 0.6, 0.7


class SlowProvider(ScriptedProvider):
    """Takes its time to accept a socket, and to begin to speak."""

    def __init__(self) -> None:
        super().__init__([])
        self.received: list[dict[str, Any]] = []
        self.socket: ServerConnection | None = None
        self.may_connect = asyncio.Event()
        self.may_connect.set()

    async def accept(self, socket: ServerConnection, request: Request) -> Response | None:
        await asyncio.sleep(CONNECTS_AFTER_S)
        await self.may_connect.wait()
        self.socket = socket
        return None

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.received if event["type"] == kind]

    async def hear_caller(self) -> None:
        """The caller begins to speak."""
        assert self.socket is not None
        await self.say(self.socket, "input_audio_buffer.speech_started", item_id="u1", audio_start_ms=0)

    async def _hear(self, socket: ServerConnection, event: dict[str, Any]) -> None:
        self.received.append(event)
        if event["type"] == "response.create":
            await asyncio.sleep(SPEAKS_AFTER_S)
        await super()._hear(socket, event)


@pytest_asyncio.fixture
async def provider(handset: Handset, settings: Settings) -> AsyncIterator[SlowProvider]:
    slow = SlowProvider()
    async with serve(slow, "127.0.0.1", 0, compression=None, process_request=slow.accept) as server:
        settings.OPENAI_BASE_URL = url_of(server)
        yield slow
        await handset.put_away()


@pytest_asyncio.fixture
async def kept(handset: Handset) -> None:
    """The greeting of the published version, as a worker has made it."""

    def make() -> None:
        version = AgentVersion.objects.get()
        AgentVersion.objects.update(greeting=TEXT)
        audio = (TONE * (LASTS_MS // 20))[: LASTS_MS * 8]
        KeptGreeting.objects.update(text=TEXT, state="done", done_at=timezone.now(), audio=audio)
        assert version.agent.organization.kept_greetings.count() == 1

    await sync_to_async(make)()


async def until(claim: object, within_s: float = 15) -> None:
    async with asyncio.timeout(within_s):
        while not claim():  # type: ignore[operator]
            await asyncio.sleep(0.02)


async def silence_before_sound_s(handset: Handset) -> float:
    await until(lambda: handset.sound_came_at is not None)
    assert handset.sound_came_at is not None
    assert handset.started_at is not None
    return handset.sound_came_at - handset.started_at


async def lines_of(handset: Handset) -> list[tuple[str, str, bool]]:
    lines = TranscriptLine.objects.filter(call=await call_of(handset)).order_by("spoken_at_ms", "id")
    return [(line.speaker, line.text, line.is_cut) async for line in lines]


async def test_it_is_heard_before_the_provider_has_connected(
    handset: Handset, provider: SlowProvider, kept: None
) -> None:
    provider.may_connect.clear()
    await handset.dial()
    assert await handset.hears_something(within_s=2)  # after three, the link would be given up
    assert provider.received == []
    provider.may_connect.set()
    await until(lambda: len(handset.heard) >= LASTS_MS * 8)
    (item,) = provider.of_kind("conversation.item.create")
    assert item["item"]["role"] == "assistant"
    assert item["item"]["content"] == [{"type": "output_text", "text": TEXT}]
    assert provider.of_kind("response.create") == []
    assert provider.of_kind("input_audio_buffer.append")
    await handset.hang_up()
    assert await end_of(handset) == ("completed", "caller_hung_up")
    assert await lines_of(handset) == [("agent", TEXT, False)]
    assert (await kinds_of(handset)).index("greeting_played") < (await kinds_of(handset)).index("agent_ready")
    assert handset.heard.count(TONE) * len(TONE) == LASTS_MS * 8


async def test_without_one_the_provider_speaks_it(handset: Handset, provider: SlowProvider) -> None:
    await handset.dial()
    assert await silence_before_sound_s(handset) > CONNECTS_AFTER_S + SPEAKS_AFTER_S
    assert len(provider.of_kind("response.create")) == 1
    await handset.hang_up()
    assert await end_of(handset) == ("completed", "caller_hung_up")


async def test_an_interruption_cuts_it_for_the_model_and_in_the_transcript(
    handset: Handset, provider: SlowProvider, kept: None
) -> None:
    await handset.dial()
    await until(lambda: len(handset.heard) >= 1_500 * 8)
    await provider.hear_caller()
    await until(lambda: len(provider.of_kind("conversation.item.create")) == 2)
    first, second = provider.of_kind("conversation.item.create")
    assert provider.of_kind("conversation.item.delete")[0]["item_id"] == first["item"]["id"]
    assert second["previous_item_id"] == "root"
    heard = second["item"]["content"][0]["text"]
    assert TEXT.startswith(heard)
    assert 0.3 < len(heard) / len(TEXT) < 0.75
    await asyncio.sleep(0.5)
    played_ms = len(handset.heard) / 8
    await handset.hang_up()
    assert await end_of(handset) == ("completed", "caller_hung_up")
    assert await lines_of(handset) == [("agent", heard, True)]
    turn = await Turn.objects.aget(call=await call_of(handset))
    assert (turn.number, turn.is_interrupted) == (0, True)
    event = await (await call_of(handset)).events.aget(kind="interrupted")
    assert abs(event.detail["heard_ms"] - played_ms) < 400  # this phone takes whole slices from its queue


async def test_hanging_up_into_it_ends_the_call_and_keeps_what_was_heard(
    handset: Handset, provider: SlowProvider, kept: None
) -> None:
    await handset.dial()
    await until(lambda: len(handset.heard) >= 400 * 8)
    await handset.hang_up()
    assert await end_of(handset) == ("completed", "caller_hung_up")
    ((speaker, text, is_cut),) = await lines_of(handset)
    assert (speaker, is_cut) == ("agent", True)
    assert TEXT.startswith(text)


async def test_a_provider_that_is_down_does_not_keep_it_from_the_caller(
    handset: Handset, kept: None, settings: Settings
) -> None:
    settings.OPENAI_BASE_URL = "http://127.0.0.1:9/v1"
    await handset.dial()
    assert await handset.hears_something(within_s=5)
    assert await end_of(handset, within_s=10) == ("failed", "provider_failed")


async def test_a_link_that_is_lost_meanwhile_is_replaced_and_gets_the_greeting_again(
    handset: Handset, provider: SlowProvider, kept: None
) -> None:
    await handset.dial()
    await until(lambda: provider.of_kind("conversation.item.create"))
    assert provider.socket is not None
    await provider.socket.close(1011)
    await until(lambda: len(provider.of_kind("conversation.item.create")) == 2)
    await until(lambda: len(handset.heard) >= LASTS_MS * 8)
    assert handset.heard.count(TONE) * len(TONE) == LASTS_MS * 8
    assert provider.of_kind("conversation.item.create")[1]["item"]["content"][0]["text"] == TEXT
    assert provider.of_kind("response.create") == []
    await handset.hang_up()
    assert await end_of(handset) == ("completed", "caller_hung_up")
    assert "tone_played" not in await kinds_of(handset)


async def test_a_key_before_the_session_interrupts_it_and_is_answered(
    handset: Handset, provider: SlowProvider, kept: None
) -> None:
    await handset.dial()
    await asyncio.sleep(0.3)
    assert provider.received == []
    await handset.press("0")
    await until(lambda: provider.of_kind("response.create"))
    texts = [event["item"]["content"][0]["text"] for event in provider.of_kind("conversation.item.create")]
    assert texts[-1] == "[The caller pressed 0 and asks for a person]"
    assert all(TEXT.startswith(text) for text in texts[:-1])
    assert "response" not in provider.of_kind("response.create")[0]
    await handset.hang_up()
    assert await end_of(handset) == ("completed", "caller_hung_up")
    assert len(handset.heard) < LASTS_MS * 8


async def test_an_uninterruptible_one_is_heard_to_its_end(handset: Handset, provider: SlowProvider, kept: None) -> None:
    await in_a_thread(lambda: AgentVersion.objects.update(protects_greeting=True))
    await handset.dial()
    await until(lambda: provider.of_kind("conversation.item.create"))
    await provider.hear_caller()
    await until(lambda: len(provider.of_kind("session.update")) == 2)
    assert len(handset.heard) >= LASTS_MS * 8 - 400 * 8  # this phone takes whole slices from its queue
    guarded, listening = [event["session"]["audio"]["input"] for event in provider.of_kind("session.update")]
    assert guarded["turn_detection"]["interrupt_response"] is False
    assert listening["turn_detection"]["interrupt_response"] is True
    await handset.hang_up()
    assert await end_of(handset) == ("completed", "caller_hung_up")
    assert (await lines_of(handset))[0] == ("agent", TEXT, False)


async def test_the_version_says_whose_greeting_it_is(handset: Handset, provider: SlowProvider, kept: None) -> None:
    """Another voice than the kept one's: the provider speaks."""
    await in_a_thread(lambda: AgentVersion.objects.update(voice="cedar"))
    await handset.dial()
    assert await silence_before_sound_s(handset) > CONNECTS_AFTER_S
    await handset.hang_up()
    assert await end_of(handset) == ("completed", "caller_hung_up")


async def test_the_provider_accepts_the_correction(handset: Handset, kept: None) -> None:
    """The simulator refuses items and places that do not exist."""
    await handset.dial()
    await until(lambda: len(handset.heard) >= 1_000 * 8)
    await handset.press("5")
    await until(lambda: len(handset.heard) >= 3_000 * 8)  # the answer to the key
    await handset.hang_up()
    assert await end_of(handset) == ("completed", "caller_hung_up")
    kinds = await kinds_of(handset)
    assert "interrupted" in kinds
    assert "provider_error" not in kinds
    greeting, key, answer = await lines_of(handset)
    assert (greeting[0], greeting[2]) == ("agent", True)
    assert key[1] == "[The caller pressed 5]"
    assert "You pressed a key." in answer[1]
