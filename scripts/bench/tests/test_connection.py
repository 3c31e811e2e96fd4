"""The sockets of the load carry whole messages, however their bytes are cut, and answer what a WebSocket has to."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest
from connection import PING, PONG, Connection, Sockets, Wire
from handshake import Admission, HandshakeRefused, open_websocket

MESSAGES = [b"", b"short", b"m" * 300, b"l" * 70_000]


class Heard(Connection):
    def __init__(self, key: bytes = b"") -> None:
        super().__init__(key)
        self.messages: list[bytes] = []
        self.pongs: list[bytes] = []
        self.strange = 0

    def _control(self, opcode: int, message: bytes) -> None:
        if opcode == PONG:
            self.pongs.append(message)
        super()._control(opcode, message)

    def on_text(self, message: bytes) -> None:
        self.messages.append(message)

    def on_strange_frame(self) -> None:
        self.strange += 1

    def on_disconnected(self) -> None:
        return


class Pipe:
    """Two connections to each other: the first one masks."""

    def __init__(self) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        near = socket.create_connection(listener.getsockname())
        far, _ = listener.accept()
        listener.close()
        self.sockets = Sockets()
        self.near, self.far = Heard(b"mask"), Heard()
        self.near.connect(self.sockets, Wire(near))
        self.far.connect(self.sockets, Wire(far))

    async def until(self, is_true: Callable[[], bool]) -> None:
        self.sockets.open()
        async with asyncio.timeout(5):
            while not is_true():
                await asyncio.sleep(0.001)
        self.near.disconnect()
        self.far.disconnect()
        self.sockets.close()


def frames_of(side: Heard, messages: list[bytes]) -> bytes:
    for message in messages:
        side.say(message)
    return b"".join(side._out)


@pytest.mark.parametrize("key", [b"", b"mask"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 130, 100_000])
def test_messages_are_whole_wherever_their_bytes_are_cut(key: bytes, size: int) -> None:
    sent = frames_of(Heard(key), MESSAGES[:3] if size < 7 else MESSAGES)
    heard = Heard()
    for at in range(0, len(sent), size):
        heard.receive(sent[at : at + size])
    assert heard.messages == (MESSAGES[:3] if size < 7 else MESSAGES)


def test_both_sides_hear_each_other() -> None:
    async def talk() -> Pipe:
        pipe = Pipe()
        pipe.near.say(b"up")
        pipe.near.flush()
        pipe.far.say(b"down")
        pipe.far.flush()
        await pipe.until(lambda: bool(pipe.near.messages and pipe.far.messages))
        return pipe

    pipe = asyncio.run(talk())
    assert (pipe.far.messages, pipe.near.messages) == ([b"up"], [b"down"])


def test_what_the_socket_does_not_take_at_once_follows_in_order() -> None:
    messages = [bytes([65 + turn % 26]) * 50_000 for turn in range(300)]

    async def talk() -> Pipe:
        pipe = Pipe()
        for message in messages:
            pipe.near.say(message)
            pipe.near.flush()
        assert pipe.near._waits_to_write
        await pipe.until(lambda: len(pipe.far.messages) == len(messages))
        return pipe

    pipe = asyncio.run(talk())
    assert pipe.far.messages == messages
    assert not pipe.near._waits_to_write


def test_a_ping_is_answered_with_its_own_content() -> None:
    async def talk() -> Pipe:
        pipe = Pipe()
        pipe.near.say(b"still there?", PING)
        pipe.near.flush()
        await pipe.until(lambda: pipe.near.pongs == [b"still there?"])
        return pipe

    asyncio.run(talk())


def test_a_goodbye_closes_both_sides() -> None:
    async def talk() -> None:
        pipe = Pipe()
        pipe.near.say_goodbye()
        await pipe.until(lambda: not pipe.near.is_connected and not pipe.far.is_connected)

    asyncio.run(talk())


def test_a_frame_that_is_no_text_is_strange() -> None:
    heard = Heard()
    heard.receive(bytes((0x82, 1)) + b"x")
    assert heard.strange == 1


@pytest.mark.parametrize(("line", "accepted"), [("101 Switching Protocols", True), ("403 Forbidden", False)])
def test_a_handshake_that_is_refused_is_told_apart(line: str, accepted: bool) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {line}\r\n\r\nearly".encode())
        await writer.drain()
        writer.close()

    async def shake_hands() -> bytes:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        wire, early = await open_websocket(f"ws://127.0.0.1:{port}/media?a=b", {"X-Twilio-Signature": "s"})
        wire.close()
        server.close()
        return early

    if accepted:
        assert asyncio.run(shake_hands()) in {b"early", b""}
    else:
        with pytest.raises(HandshakeRefused, match="403"):
            asyncio.run(shake_hands())


def test_a_client_is_admitted_with_the_bytes_that_came_early() -> None:
    async def shake_hands() -> bytes:
        sockets = Sockets()
        sockets.open()
        listener = socket.create_server(("127.0.0.1", 0))
        client = socket.create_connection(listener.getsockname())
        connected, _ = listener.accept()
        admitted: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        Admission(sockets, Wire(connected), lambda wire, early: admitted.set_result(early))
        client.sendall(b"GET / HTTP/1.1\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\nearly")
        early = await asyncio.wait_for(admitted, 5)
        response = client.recv(1000)
        assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in response
        for each in (client, connected, listener):
            each.close()
        sockets.close()
        return early

    assert asyncio.run(shake_hands()) == b"early"
