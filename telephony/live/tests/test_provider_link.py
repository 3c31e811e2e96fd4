"""The provider's socket: frames in both directions, how its end is reported, and that nothing stays open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from telephony.bridge.core.actions import LinkLoss
from telephony.live import links
from telephony.live.links import ProviderLink
from telephony.live.openai_provider import AUDIO_PREFIX, RETIRED_PROTOCOL
from voiceapp.providers.openai.client import OpenAIClient

pytestmark = pytest.mark.asyncio

Handler = Callable[[ServerConnection], Awaitable[None]]


class Listener:
    """What a link reported to its call."""

    def __init__(self, address: str) -> None:
        self.opened = 0
        self.heard: list[str] = []
        self.losses: list[LinkLoss] = []
        self.lost = asyncio.Event()
        self.link = ProviderLink(
            address,
            {"Authorization": "Bearer key"},
            on_opened=self.on_opened,
            on_frame=self.heard.append,
            on_lost=self.on_lost,
            audio_prefix=AUDIO_PREFIX,
            fatal_codes=frozenset({RETIRED_PROTOCOL}),
        )

    def on_opened(self) -> None:
        self.opened += 1

    def on_lost(self, loss: LinkLoss) -> None:
        self.losses.append(loss)
        self.lost.set()

    async def loss(self) -> LinkLoss:
        await asyncio.wait_for(self.lost.wait(), 5)
        assert len(self.losses) == 1
        return self.losses[0]


def address_of(server: Server | asyncio.Server) -> str:
    return f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/v1/realtime?model=m"


@asynccontextmanager
async def linked_to(handler: Handler) -> AsyncIterator[Listener]:
    async with serve(handler, "127.0.0.1", 0, compression=None, close_timeout=0.5) as server:
        listener = Listener(address_of(server))
        await listener.link.open()
        yield listener
        listener.link.close()


async def echo(socket: ServerConnection) -> None:
    async for message in socket:
        await socket.send(message)


async def test_frames_go_both_ways_in_order() -> None:
    async with linked_to(echo) as call:
        for number in range(50):
            call.link.send(f"frame {number} ü")
        await asyncio.sleep(0.2)

        assert call.opened == 1
        assert call.heard == [f"frame {number} ü" for number in range(50)]


@pytest.mark.parametrize(
    ("code", "is_fatal"), [(1000, False), (1001, False), (1011, False), (1013, False), (4000, True), (4999, False)]
)
async def test_a_close_tells_its_code_and_reason(code: int, is_fatal: bool) -> None:
    async def close(socket: ServerConnection) -> None:
        await socket.close(code, "why")

    async with linked_to(close) as call:
        assert await call.loss() == LinkLoss(code, "why", is_fatal)


async def test_a_connection_that_breaks_has_no_code() -> None:
    async def abort(socket: ServerConnection) -> None:
        socket.transport.abort()

    async with linked_to(abort) as call:
        assert await call.loss() == LinkLoss(None, "connection lost")


@pytest.mark.parametrize(
    ("status", "is_fatal"),
    [
        (400, True),
        (401, True),
        (403, True),
        (404, True),
        (302, True),
        (408, False),
        (429, False),
        (500, False),
        (503, False),
    ],
)
async def test_a_refusal_tells_its_status_and_whether_trying_again_helps(status: int, is_fatal: bool) -> None:
    requests = 0

    def refuse(socket: ServerConnection, request: Request) -> Response:
        nonlocal requests
        requests += 1
        response = socket.respond(HTTPStatus(status), "no")
        response.headers["Location"] = "/elsewhere"
        return response

    async with serve(echo, "127.0.0.1", 0, process_request=refuse) as server:
        call = Listener(address_of(server))
        await call.link.open()

        assert await call.loss() == LinkLoss(status, f"HTTP {status}", is_fatal)
        assert call.opened == 0
        assert requests == 1  # a redirect is not followed


@pytest.mark.parametrize(
    ("status", "header", "wait_ms"),
    [(429, "7", 7_000), (503, "0.5", 500), (503, "soon", None), (429, "-3", 0), (401, "7", None), (500, None, None)],
)
async def test_a_refusal_tells_the_wait_that_it_names(status: int, header: str | None, wait_ms: int | None) -> None:
    def refuse(socket: ServerConnection, request: Request) -> Response:
        response = socket.respond(HTTPStatus(status), "no")
        if header is not None:
            response.headers["Retry-After"] = header
        return response

    async with serve(echo, "127.0.0.1", 0, process_request=refuse) as server:
        call = Listener(address_of(server))
        await call.link.open()

        assert (await call.loss()).wait_ms == wait_ms


async def test_who_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "CONNECT_WITHIN_S", 0.2)
    closed = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        closed.set()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    call = Listener(address_of(server))

    await call.link.open()

    assert (await call.loss()).code is None
    await asyncio.wait_for(closed.wait(), 2)
    server.close()


async def test_an_answer_that_is_no_websocket_is_a_loss() -> None:
    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"220 mail.example.com ESMTP\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(other, "127.0.0.1", 0)
    call = Listener(address_of(server))

    await call.link.open()

    assert not (await call.loss()).is_fatal
    server.close()


async def test_closing_while_it_connects_leaves_no_connection() -> None:
    live: set[ServerConnection] = set()

    async def stay(socket: ServerConnection) -> None:
        live.add(socket)
        await socket.wait_closed()
        live.discard(socket)

    async with serve(stay, "127.0.0.1", 0) as server:
        call = Listener(address_of(server))
        opening = asyncio.create_task(call.link.open())
        await asyncio.sleep(0)
        call.link.close()
        await opening
        await asyncio.sleep(0.1)

        assert call.opened == 0
        assert not live
        assert not call.losses


async def test_after_closing_nothing_is_reported() -> None:
    async with linked_to(echo) as call:
        call.link.send("one")
        call.link.close()
        await asyncio.sleep(0.1)

        assert call.heard == []
        assert call.losses == []


async def test_a_message_in_pieces_is_put_together_and_binary_is_dropped() -> None:
    async def speak(socket: ServerConnection) -> None:
        await socket.send(["a", "ü", "c"])
        await socket.send(b"\x00\x01")
        await socket.send("whole")
        await socket.wait_closed()

    async with linked_to(speak) as call:
        await asyncio.sleep(0.1)

        assert call.heard == ["aüc", "whole"]


async def test_a_frame_over_four_mebibytes_loses_the_link() -> None:
    async def flood(socket: ServerConnection) -> None:
        await socket.send("x" * (4 * 1024 * 1024 + 1))
        await socket.wait_closed()

    async with linked_to(flood) as call:
        await call.loss()

        assert call.heard == []


async def test_a_provider_that_reads_nothing_loses_audio_but_no_words() -> None:
    """`send` never waits; past the socket's buffers the caller's audio is dropped."""
    read = asyncio.Event()
    received: list[str] = []

    async def slow(socket: ServerConnection) -> None:
        socket.transport.pause_reading()
        await read.wait()
        socket.transport.resume_reading()
        async for message in socket:
            received.append(str(message)[:40])

    async with linked_to(slow) as call:
        audio = '{"type":"input_audio_buffer.append","audio":"' + "A" * 60_000 + '"}'
        for _ in range(400):
            call.link.send(audio)
            await asyncio.sleep(0)
        call.link.send('{"type":"response.create"}')
        assert call.link.dropped_frames > 0
        read.set()
        await asyncio.sleep(1)

        assert received[-1] == '{"type":"response.create"}'
        assert len(received) == 401 - call.link.dropped_frames


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("https://api.openai.com/v1", "wss://api.openai.com/v1/realtime?model=gpt-realtime-2.1"),
        ("http://127.0.0.1:9000/v1/", "ws://127.0.0.1:9000/v1/realtime?model=gpt-realtime-2.1"),
        (
            "http://127.0.0.1:9000/fault/slow=5/v1",
            "ws://127.0.0.1:9000/fault/slow=5/v1/realtime?model=gpt-realtime-2.1",
        ),
    ],
)
async def test_the_address_follows_from_the_base_url(base_url: str, expected: str) -> None:
    client = OpenAIClient(api_key="sk-1", base_url=base_url)

    assert client.realtime_url("gpt-realtime-2.1") == expected
    assert client.headers() == {"Authorization": "Bearer sk-1"}
