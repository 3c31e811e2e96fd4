"""The reference: the same frames through a bare picows relay, as fast as Python and picows can be made to.

    python scripts/bench/relay.py --port 0 --provider ws://127.0.0.1:9000/v1/realtime

It knows the load's exact messages, checks nothing, keeps no state but the two sockets, and sends a mark
whenever 100 ms of audio have gone down, which is how often the product sends one.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import ssl

import uvloop
from picows import (
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    ws_connect,
    ws_create_server,
)

TEXT = WSMsgType.TEXT
CLOSE = WSMsgType.CLOSE
FRAME_LETTERS = 216
FRAMES_PER_MARK = 5
APPEND = b'{"type":"input_audio_buffer.append","audio":"%b"}'
HELLO = (
    b'{"type":"session.update","session":{"type":"realtime"}}',
    b'{"type":"response.create"}',
)


class ProviderSide(WSListener):
    """Deltas in, media and marks out."""

    def __init__(self, call: CallerSide) -> None:
        self.call = call
        self.frames = 0
        self.next_mark = FRAMES_PER_MARK

    def on_ws_connected(self, transport: WSTransport) -> None:
        for message in HELLO:
            transport.send(TEXT, message)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        message = frame.get_payload_as_bytes()
        if message.startswith(b'{"type":"response.output_audio.delta",'):
            call = self.call
            payload = message[message.find(b'"delta":"', 100) + 9 : -2]
            call.transport.send(TEXT, call.media % payload)
            self.frames = frames = self.frames + len(payload) // FRAME_LETTERS
            if frames >= self.next_mark:
                self.next_mark = frames + FRAMES_PER_MARK
                call.transport.send(TEXT, call.mark % frames)
        elif frame.msg_type == CLOSE:
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.call.provider = None


class CallerSide(WSListener):
    """Media in, appends out; before the provider is there they wait."""

    provider: WSTransport | None = None

    def __init__(self, provider_url: str, tls: ssl.SSLContext | None = None) -> None:
        self.provider_url = provider_url
        self.tls = tls
        self.early: list[bytes] = []
        self.media = self.mark = b""

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        message = frame.get_payload_as_bytes()
        if message.startswith(b'{"event":"media",'):
            append = APPEND % message[message.find(b'"payload":"', 100) + 11 : -3]
            if self.provider is not None:
                self.provider.send(TEXT, append)
            else:
                self.early.append(append)
        elif message.startswith(b'{"event":"start",'):
            self.begin(json.loads(message)["start"]["streamSid"].encode())
        elif frame.msg_type == CLOSE:
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()

    def begin(self, sid: bytes) -> None:
        self.media = b'{"event":"media","streamSid":"%b","media":{"payload":"%%b"}}' % sid
        self.mark = b'{"event":"mark","streamSid":"%b","mark":{"name":"%%d"}}' % sid
        self.dialing = asyncio.ensure_future(self.dial())

    async def dial(self) -> None:
        # On plain TCP uvloop's own transports are a little cheaper than aiofastnet's.
        provider, _ = await ws_connect(
            lambda: ProviderSide(self), self.provider_url, ssl_context=self.tls, use_aiofastnet=self.tls is not None
        )
        for append in self.early:
            provider.send(TEXT, append)
        self.early.clear()
        self.provider = provider

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if self.provider is not None:
            self.provider.send_close(WSCloseCode.OK)
            self.provider.disconnect()


async def serve(port: int, provider_url: str) -> None:
    tls = ssl.create_default_context() if provider_url.startswith("wss:") else None

    def admit(request: WSUpgradeRequest) -> CallerSide:
        return CallerSide(provider_url, tls)

    server = await ws_create_server(admit, "127.0.0.1", port, use_aiofastnet=False)
    gc.freeze()
    print(f"listening on http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--provider", required=True)
    chosen = options.parse_args()
    uvloop.run(serve(chosen.port, chosen.provider))
