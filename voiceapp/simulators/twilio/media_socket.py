"""The WebSocket of a media stream: signed handshake, messages in both directions, closing."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from picows import (
    WSCloseCode,
    WSError,
    WSFrame,
    WSHandshakeError,
    WSInvalidStatusError,
    WSInvalidURL,
    WSListener,
    WSMsgType,
    WSTransport,
    ws_connect,
)

OnText = Callable[[str], None]
OnBinary = Callable[[], None]

_CONNECT_S = 5
_CLOSE_S = 1.0
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class StreamFailed(Exception):
    """The socket could not be opened. `code` is Twilio's, `status` the HTTP status if there was a response."""

    def __init__(self, code: int, message: str, *, status: int = 0) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


@dataclass(frozen=True, slots=True)
class Closed:
    """How a socket was closed. Code 1006: without a close frame."""

    code: int
    reason: str


class MediaSocket(WSListener):
    """Calls `on_text` and `on_binary` for each message; `closed` is done when the socket is."""

    def __init__(self, *, on_text: OnText, on_binary: OnBinary) -> None:
        self._on_text = on_text
        self._on_binary = on_binary
        self._transport: WSTransport | None = None
        self._parts: list[bytes] = []
        self._closing: Closed | None = None
        self.is_clogged = False  # the other end reads too slowly
        self.closed: asyncio.Future[Closed] = asyncio.get_running_loop().create_future()

    @classmethod
    async def open(cls, url: str, *, signature: str, on_text: OnText, on_binary: OnBinary) -> MediaSocket:
        """Raise StreamFailed with Twilio's number for it."""
        address = urlsplit(url)
        if address.scheme != "wss" and not (address.scheme == "ws" and address.hostname in _LOOPBACK):
            raise StreamFailed(31922, f"invalid scheme: {url} is not wss")
        headers = {"x-twilio-signature": signature, "User-Agent": "Twilio.TmeWs/1.0"}
        try:
            _transport, listener = await ws_connect(
                lambda: cls(on_text=on_text, on_binary=on_binary),
                url,
                websocket_handshake_timeout=_CONNECT_S,
                extra_headers=headers,
                max_redirects=0,
                max_frame_size=16 << 20,
            )
        except WSInvalidStatusError as exc:
            status = int(exc.response.status) if exc.response else 0
            raise StreamFailed(31920, f"handshake failed: {url} returned {status}", status=status) from exc
        except (WSHandshakeError, WSInvalidURL, WSError) as exc:
            raise StreamFailed(31920, f"handshake failed: {url}: {exc}") from exc
        except TimeoutError as exc:
            raise StreamFailed(31901, f"connection to {url} timed out") from exc
        except OSError as exc:
            raise StreamFailed(31920, f"connection to {url} failed: {exc}") from exc
        assert isinstance(listener, cls)
        return listener

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self.closed.done() and self._closing is None

    def send(self, text: str) -> None:
        if self.is_open and self._transport:
            self._transport.send(WSMsgType.TEXT, text.encode())

    def send_binary(self, content: bytes) -> None:
        if self.is_open and self._transport:
            self._transport.send(WSMsgType.BINARY, content)

    async def close(self) -> None:
        """Close as Twilio does at the end of a call; the application has a second for its close frame."""
        if self.is_open and self._transport:
            self._transport.send_close(WSCloseCode.OK)
        try:
            await asyncio.wait_for(asyncio.shield(self.closed), _CLOSE_S)
        except TimeoutError:
            if self._transport:
                self._transport.disconnect(False)

    def reset(self) -> None:
        """Cut the connection so that the application's end sees a TCP reset."""
        if self._transport:
            raw = self._transport.underlying_transport
            raw.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raw.abort()

    def stop_reading(self) -> None:
        if self._transport:
            self._transport.underlying_transport.pause_reading()

    # picows calls these

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        match frame.msg_type:
            case WSMsgType.TEXT if frame.fin:
                self._text(frame.get_payload_as_bytes())
            case WSMsgType.TEXT | WSMsgType.CONTINUATION:
                self._parts.append(frame.get_payload_as_bytes())
                if frame.fin:
                    self._text(b"".join(self._parts))
                    self._parts.clear()
            case WSMsgType.BINARY:
                self._on_binary()
            case WSMsgType.CLOSE:
                self._closing = Closed(_close_code(frame), frame.get_close_reason() or "")
                transport.send_close(WSCloseCode.OK)
                transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if not self.closed.done():
            self.closed.set_result(self._closing or Closed(1006, ""))

    def pause_writing(self) -> None:
        self.is_clogged = True

    def resume_writing(self) -> None:
        self.is_clogged = False

    def _text(self, content: bytes) -> None:
        self._on_text(content.decode("utf-8", "replace"))


def _close_code(frame: WSFrame) -> int:
    """1005 if the frame has none. picows returns codes outside its enum as plain numbers."""
    code: object = frame.get_close_code()
    return (code.value if isinstance(code, WSCloseCode) else code if isinstance(code, int) else 0) or 1005
