"""A link to a provider whose sound comes in binary frames, beside the text of its events."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from websockets.asyncio.server import ServerConnection, serve

from telephony.bridge.core.actions import LinkLoss
from telephony.live.links import ProviderLink

pytestmark = pytest.mark.asyncio

SOUND = bytes(range(160))


class Heard:
    def __init__(self) -> None:
        self.texts: list[str] = []
        self.sound: list[bytes] = []
        self.losses: list[LinkLoss] = []


async def hear(
    handler: Callable[[ServerConnection], Awaitable[None]], *, takes_sound: bool = True, sends: bytes = b""
) -> Heard:
    heard = Heard()
    async with serve(handler, "127.0.0.1", 0, compression=None, close_timeout=0.5) as server:
        link = ProviderLink(
            f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/",
            {},
            on_opened=lambda: None,
            on_frame=heard.texts.append,
            on_audio=heard.sound.append if takes_sound else None,
            on_lost=heard.losses.append,
        )
        await link.open()
        if sends:
            link.send_audio(sends)
        await asyncio.sleep(0.2)
        link.close()
    return heard


async def echo(socket: ServerConnection) -> None:
    async for message in socket:
        await socket.send(message)


async def test_sound_goes_both_ways_as_it_is() -> None:
    assert (await hear(echo, sends=SOUND)).sound == [SOUND]


async def test_sound_and_events_are_kept_apart() -> None:
    async def both(socket: ServerConnection) -> None:
        await socket.send(SOUND)
        await socket.send('{"type":"hang"}')
        await socket.send(b"")
        await socket.wait_closed()

    heard = await hear(both)
    assert (heard.sound, heard.texts) == ([SOUND, b""], ['{"type":"hang"}'])


async def test_fragments_are_joined_to_what_they_began_as() -> None:
    async def fragments(socket: ServerConnection) -> None:
        await socket.send([SOUND[:100], SOUND[100:]])
        await socket.send(['{"type":', '"hang"}'])
        await socket.wait_closed()

    heard = await hear(fragments)
    assert (heard.sound, heard.texts) == ([SOUND], ['{"type":"hang"}'])


async def test_a_link_without_sound_ignores_binary_frames() -> None:
    async def binary(socket: ServerConnection) -> None:
        await socket.send(SOUND)
        await socket.send("text")
        await socket.wait_closed()

    heard = await hear(binary, takes_sound=False)
    assert (heard.sound, heard.texts, heard.losses) == ([], ["text"], [])
