"""The short path of WebSockets: whatever the framing, all arrives once and in order, and errors end the socket."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
import uvicorn

from voiceapp.core.http.http_protocol import BoundedHttpProtocol
from voiceapp.core.http.websocket_protocol import EXTENSION, DirectWebSocketProtocol
from voiceapp.server import MAX_FRAME_BYTES, listen, uvicorn_config

pytestmark = pytest.mark.asyncio

TEXT, BINARY, CLOSE, PING, PONG, REST = 1, 2, 8, 9, 10, 0
HANDSHAKE = (
    b"GET /echo HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: d3Nsb2Fkd3Nsb2Fkd3M9PQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
NORMAL = struct.pack("!H", 1000)


async def eventually(is_true: Callable[[], bool], within_s: float = 15) -> None:
    async with asyncio.timeout(within_s):
        while not is_true():
            await asyncio.sleep(0.005)


def frame(opcode: int, payload: bytes, *, fin: bool = True, masked: bool = True) -> bytes:
    size, bit = len(payload), 0x80 * masked
    if size < 126:
        length = bytes([bit | size])
    elif size < 1 << 16:
        length = struct.pack("!BH", bit | 126, size)
    else:
        length = struct.pack("!BQ", bit | 127, size)
    head = bytes([fin << 7 | opcode]) + length
    if not masked:
        return head + payload
    key = b"\x12\xf4\x56\x78"
    return head + key + bytes(byte ^ key[index & 3] for index, byte in enumerate(payload))


@dataclass
class Echo:
    """An application that listens after the accept, once it may, and sends every text back."""

    texts: list[str] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)
    may_accept: asyncio.Event = field(default_factory=asyncio.Event)
    may_listen: asyncio.Event = field(default_factory=asyncio.Event)
    socket: DirectWebSocketProtocol | None = None
    is_refusing: bool = False
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(
        self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        await receive()
        await self.may_accept.wait()
        if self.is_refusing:
            await send({"type": "websocket.close"})
            return
        await send({"type": "websocket.accept"})
        await self.may_listen.wait()
        self.socket = scope["extensions"][EXTENSION]
        assert self.socket is not None
        self.socket.listen(on_text=self._text, on_closed=self._closed)
        await self.over.wait()

    def _text(self, text: str) -> None:
        self.texts.append(text)
        if text == "close me":
            self._closing = asyncio.ensure_future(self._close())
        elif self.socket is not None:
            self.socket.send_texts([text])

    async def _close(self) -> None:
        assert self.socket is not None
        await self.socket.close(1008)
        self.over.set()

    def _closed(self, code: int) -> None:
        self.closed.append(code)
        self.over.set()


@dataclass
class Peer:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def shake_hands(self, *more: bytes) -> bytes:
        self.writer.write(HANDSHAKE + b"".join(more))
        return await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 5)

    async def frame(self) -> tuple[int, bytes]:
        first, size = await asyncio.wait_for(self.reader.readexactly(2), 5)
        if size == 126:
            (size,) = struct.unpack("!H", await self.reader.readexactly(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", await self.reader.readexactly(8))
        return first & 15, await self.reader.readexactly(size)


@asynccontextmanager
async def serving(echo: Echo) -> AsyncIterator[Callable[[], Awaitable[Peer]]]:
    config = uvicorn_config()
    config.app = echo
    config.loaded_app = None
    listener = listen("127.0.0.1", 0)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    peers: list[Peer] = []

    async def connect() -> Peer:
        peers.append(Peer(*await asyncio.open_connection(*listener.getsockname())))
        return peers[-1]

    await eventually(lambda: server.started)
    yield connect
    for peer in peers:
        peer.writer.close()
    echo.over.set()
    server.should_exit = True
    await asyncio.wait_for(running, 10)


@pytest_asyncio.fixture
async def echo() -> Echo:
    return ready()


def ready() -> Echo:
    """It accepts and listens at once."""
    echo = Echo()
    echo.may_accept.set()
    echo.may_listen.set()
    return echo


async def test_every_split_of_a_mixed_stream_arrives_whole_and_in_order() -> None:
    """Fragments with a ping between, every size class, binary: whatever the segments in which they come."""
    stream = (
        frame(TEXT, b"one")
        + frame(TEXT, "héé".encode() * 60)
        + frame(PING, b"are you there")
        + frame(TEXT, b"fr", fin=False)
        + frame(PING, b"still")
        + frame(REST, b"ag", fin=True)
        + frame(BINARY, b"\0\1")
        + frame(TEXT, b"")
        + frame(TEXT, b"last")
    )
    texts = [b"one", "héé".encode() * 60, b"frag", b"", b"", b"last"]
    echo = ready()
    protocol, transport = await listening(echo)
    for cut in range(1, len(stream)):
        transport.written.clear()
        protocol.data_received(stream[:cut])
        protocol.data_received(stream[cut:])
        got = transport.frames()
        assert [payload for opcode, payload in got if opcode == TEXT] == texts, cut
        assert [payload for opcode, payload in got if opcode == PONG] == [b"are you there", b"still"], cut
    echo.over.set()


async def listening(echo: Echo) -> tuple[DirectWebSocketProtocol, Recorder]:
    """The protocol on a transport that records, after its handshake and with the application listening."""
    config = uvicorn_config()
    config.app = echo
    config.load()
    config.loaded_app = echo
    state = uvicorn.Server(config).server_state
    protocol = DirectWebSocketProtocol(config=config, server_state=state, app_state={})
    transport = Recorder()
    protocol.connection_made(transport)
    protocol.data_received(HANDSHAKE)
    await eventually(lambda: echo.socket is not None)
    transport.written.clear()
    return protocol, transport


class Recorder(asyncio.Transport):
    """The end of a connection that keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.written: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def frames(self) -> list[tuple[int, bytes]]:
        data, found = b"".join(self.written), []
        while data:
            size, head = data[1], 2
            if size == 126:
                size, head = struct.unpack("!H", data[2:4])[0], 4
            found.append((data[0] & 15, data[head : head + size]))
            data = data[head + size :]
        return found


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, MAX_FRAME_BYTES - 1])
async def test_texts_of_every_size_come_back(echo: Echo, size: int) -> None:
    async with serving(echo) as connect:
        peer = await connect()
        await peer.shake_hands()
        peer.writer.write(frame(TEXT, b"x" * size))
        assert await peer.frame() == (TEXT, b"x" * size)


async def test_texts_larger_than_64_kib_can_be_sent(echo: Echo) -> None:
    async with serving(echo) as connect:
        peer = await connect()
        await peer.shake_hands()
        await eventually(lambda: echo.socket is not None)
        assert echo.socket is not None
        echo.socket.send_texts(["a", "y" * 70_000, "b"])
        assert [await peer.frame() for _ in range(3)] == [(TEXT, b"a"), (TEXT, b"y" * 70_000), (TEXT, b"b")]


async def test_what_came_before_anybody_listened_comes_first() -> None:
    echo = Echo()
    echo.may_accept.set()
    async with serving(echo) as connect:
        peer = await connect()
        await peer.shake_hands()
        for number in range(20):
            peer.writer.write(frame(TEXT, b"%d" % number))
        await asyncio.sleep(0.05)
        echo.may_listen.set()
        peer.writer.write(frame(TEXT, b"20"))
        await eventually(lambda: len(echo.texts) == 21)
        assert echo.texts == [str(number) for number in range(21)]


async def test_what_came_with_the_handshake_comes_first() -> None:
    echo = Echo()
    async with serving(echo) as connect:
        peer = await connect()
        peer.writer.write(HANDSHAKE)
        await asyncio.sleep(0.05)
        peer.writer.write(frame(TEXT, b"early") + frame(TEXT, b"earlier than allowed")[:5])
        await asyncio.sleep(0.05)
        echo.may_accept.set()
        echo.may_listen.set()
        await peer.reader.readuntil(b"\r\n\r\n")
        assert await peer.frame() == (TEXT, b"early")


async def test_a_refused_handshake_is_a_403(echo: Echo) -> None:
    echo.is_refusing = True
    async with serving(echo) as connect:
        assert (await (await connect()).shake_hands()).startswith(b"HTTP/1.1 403")


@pytest.mark.parametrize(
    ("hostile", "code"),
    [
        (frame(TEXT, b"\xff\xfe"), 1007),
        (frame(TEXT, b"hi", masked=False), 1002),
        (frame(TEXT, b"x" * (MAX_FRAME_BYTES + 1))[:20], 1009),
        (bytes([0x81, 0xFF]) + b"\xff" * 12, 1009),
        (frame(TEXT, b"fr", fin=False) + frame(TEXT, b"not the rest"), 1002),
        (frame(REST, b"of nothing"), 1002),
        (frame(3, b"no such opcode"), 1002),
        (bytes([0xC1, 0x80]) + bytes(4), 1002),  # a reserved bit
        (frame(PING, b"x" * 126), 1002),
    ],
)
async def test_what_breaks_the_protocol_ends_the_socket(echo: Echo, hostile: bytes, code: int) -> None:
    async with serving(echo) as connect:
        peer = await connect()
        await peer.shake_hands()
        peer.writer.write(frame(TEXT, b"before") + hostile + frame(TEXT, b"after"))
        assert await peer.frame() == (TEXT, b"before")
        opcode, payload = await peer.frame()
        assert (opcode, payload[:2]) == (CLOSE, struct.pack("!H", code))
        await eventually(lambda: len(echo.closed) == 1)
        assert echo.texts == ["before"]


async def test_nothing_is_passed_on_after_the_peers_close(echo: Echo) -> None:
    async with serving(echo) as connect:
        peer = await connect()
        await peer.shake_hands()
        peer.writer.write(frame(TEXT, b"bye") + frame(CLOSE, NORMAL) + frame(TEXT, b"too late"))
        assert await peer.frame() == (TEXT, b"bye")
        assert await peer.frame() == (CLOSE, NORMAL)
        await eventually(lambda: bool(echo.closed))
        assert (echo.texts, echo.closed) == (["bye"], [1000])


async def test_our_own_close_is_not_reported_and_nothing_is_passed_on_after_it(echo: Echo) -> None:
    async with serving(echo) as connect:
        peer = await connect()
        await peer.shake_hands()
        peer.writer.write(frame(TEXT, b"close me"))
        opcode, payload = await peer.frame()
        assert (opcode, payload[:2]) == (CLOSE, struct.pack("!H", 1008))
        peer.writer.write(frame(TEXT, b"too late") + frame(CLOSE, payload))
        assert await asyncio.wait_for(peer.reader.read(), 5) == b""
        assert (echo.texts, echo.closed) == (["close me"], [])


async def test_a_vanished_peer_is_reported_once(echo: Echo) -> None:
    async with serving(echo) as connect:
        peer = await connect()
        await peer.shake_hands()
        peer.writer.write(frame(TEXT, b"one") + frame(TEXT, b"half of this")[:7])
        assert await peer.frame() == (TEXT, b"one")
        peer.writer.transport.abort()
        await eventually(lambda: bool(echo.closed))
        assert (echo.texts, echo.closed) == (["one"], [1005])


async def test_a_peer_that_reads_nothing_is_seen_and_so_is_its_return(echo: Echo) -> None:
    async with serving(echo) as connect:
        peer = await connect()
        await peer.shake_hands()
        await eventually(lambda: echo.socket is not None)
        assert echo.socket is not None
        for _ in range(200):
            echo.socket.send_texts(["z" * 60_000])
            await asyncio.sleep(0)
        assert echo.socket.stuck_since is not None
        for _ in range(200):
            await peer.frame()
        await eventually(lambda: echo.socket is not None and echo.socket.stuck_since is None)


async def test_the_server_uses_it() -> None:
    config = uvicorn_config()
    config.load()
    assert (config.ws_protocol_class, config.http_protocol_class) == (DirectWebSocketProtocol, BoundedHttpProtocol)
