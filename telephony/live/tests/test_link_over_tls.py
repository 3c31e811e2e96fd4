"""The provider's socket behind TLS, whose buffers hold one record: longer texts, and a peer that reads nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve

from sessions.realtime.tests.realtime_session.stub import certificate_for
from telephony.live import links
from telephony.live.links import ProviderLink
from telephony.live.openai_provider import AUDIO_PREFIX
from voiceapp.tests.waiting import soon

pytestmark = [pytest.mark.asyncio, pytest.mark.embedded]

APPEND = AUDIO_PREFIX + ',"audio":"'


@asynccontextmanager
async def linked_over_tls(
    handler: Callable[[ServerConnection], Awaitable[None]],
    heard: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[ProviderLink]:
    own, trusting = certificate_for("localhost", tmp_path / "provider.pem")
    monkeypatch.setattr(links, "_tls", lambda: trusting)
    async with serve(handler, "localhost", 0, ssl=own, compression=None, max_size=None, close_timeout=0.5) as server:
        link = ProviderLink(
            f"wss://localhost:{next(iter(server.sockets)).getsockname()[1]}/",
            {},
            on_opened=lambda: None,
            on_frame=heard.append,
            on_lost=lambda loss: pytest.fail(f"{loss}"),
            audio_prefix=AUDIO_PREFIX,
        )
        await link.open()
        yield link
        link.close()


async def test_texts_of_any_length_go_both_ways_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def echo(socket: ServerConnection) -> None:
        async for message in socket:
            await socket.send(message)

    heard: list[str] = []
    said = [f"{size}:" + "ü" * size for size in (1, 8_000, 16_340, 16_384, 17_408, 40_000, 600_000, 3)]
    async with linked_over_tls(echo, heard, tmp_path, monkeypatch) as link:
        for text in said:
            link.send(text)
        await asyncio.to_thread(soon, lambda: len(heard) == len(said))

    assert heard == said


async def test_a_provider_that_reads_nothing_loses_audio_but_no_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = asyncio.Event()
    received: list[str] = []

    async def slow(socket: ServerConnection) -> None:
        socket.transport.pause_reading()
        await read.wait()
        socket.transport.resume_reading()
        async for message in socket:
            received.append(str(message))

    async with linked_over_tls(slow, [], tmp_path, monkeypatch) as link:
        sent = 0
        while not link.dropped_frames and sent < 2_000:
            link.send(f'{APPEND}{sent}{"A" * 60_000}"}}')
            sent += 1
            await asyncio.sleep(0)
        assert link.dropped_frames == 1
        link.send("words")
        read.set()
        await asyncio.to_thread(soon, lambda: received[-1:] == ["words"])

    assert [text[: len(APPEND) + 4].rstrip("A") for text in received[:-1]] == [f"{APPEND}{n}" for n in range(sent - 1)]
