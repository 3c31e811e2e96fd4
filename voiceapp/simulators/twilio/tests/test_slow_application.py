"""An application that does not read: the stream continues, frames that do not fit are dropped with a notice."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import socket
from typing import Any

import picows
import pytest

from voiceapp.simulators.twilio import TwilioSimulator
from voiceapp.simulators.twilio.tests.fake_application import FakeApplication

pytestmark = pytest.mark.asyncio

OPEN: list[asyncio.StreamWriter] = []
_MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Shakes hands and never reads again."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    key = next(row.split(": ", 1)[1] for row in head.split("\r\n") if row.lower().startswith("sec-websocket-key"))
    accept = base64.b64encode(hashlib.sha1((key + _MAGIC).encode()).digest()).decode()
    writer.write(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
    )
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    OPEN.append(writer)


async def test_frames_that_do_not_fit_are_dropped_with_one_warning(
    server: TwilioSimulator, application: FakeApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    listening.bind(("127.0.0.1", 0))
    port = listening.getsockname()[1]

    async def with_a_narrow_pipe(*args: Any, **kwargs: Any) -> Any:
        transport, listener = await picows.ws_connect(*args, **kwargs)
        raw = transport.underlying_transport
        raw.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        raw.set_write_buffer_limits(high=4096)
        return transport, listener

    monkeypatch.setattr("voiceapp.simulators.twilio.media_socket.ws_connect", with_a_narrow_pipe)
    application.twiml["/voice"] = f"<Response><Connect><Stream url='ws://127.0.0.1:{port}/media'/></Connect></Response>"
    async with await asyncio.start_server(deaf, sock=listening, limit=1024) as peer:
        call = await server.carrier.place_call(
            from_number="+15550001111",
            to_number="+15550002222",
            voice_url=application.voice_url,
            steps=[{"wait_s": 2.5}, {"hang_up": True}],
        )
        report = await call.done()
        OPEN.pop().transport.abort()
        peer.close()
    assert [notice.code for notice in report.notices] == [31930]
    assert report.streams[0].frames_dropped > 20
    assert report.line_ms >= 2500
