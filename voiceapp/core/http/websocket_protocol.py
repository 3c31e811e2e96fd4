"""uvicorn's WebSocket protocol with a short path for what a media stream sends fifty times a second.

A whole, unfragmented text frame goes from the socket straight to the listener: no ASGI message, queue, task or await.
Handshake, ping, close, fragments and every error stay with uvicorn's class, which sees only whole frames.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from struct import Struct
from typing import Any, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.speedups import apply_mask

# The key of this socket in the scope's `extensions`.
EXTENSION = "voiceapp.direct_socket"

OnText = Callable[[str], None]
OnClosed = Callable[[int], None]

WHOLE_TEXT = 0x81  # FIN and opcode 1 (RFC 6455, 5.2)
MASKED = 0x80
SIZE_IN_16_BITS = 126
SHORTEST_FRAME = 6  # two bytes of head and the mask
NO_CODE = 1005

_short_head = Struct("!BB").pack
_head = Struct("!BBH").pack
_long_head = Struct("!BBQ").pack


class DirectWebSocketProtocol(WebSocketsSansIOProtocol):
    """An ordinary ASGI socket until the application calls `listen`; afterwards it calls `on_text` and `on_closed`."""

    # What a frame touches, apart from the large dictionary of the parent's attributes.
    __slots__ = (
        "_has_short_path",
        "_is_listening",
        "_is_open",
        "_is_plain",
        "_on_closed",
        "_on_text",
        "_rest",
        "_write",
        "stuck_since",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stuck_since: float | None = None
        self._rest = b""
        self._has_short_path = True
        self._is_listening = False
        # Nothing was closed; and a call listens, and no message is in pieces.
        self._is_open = True
        self._is_plain = False
        self._on_text: OnText = _ignore
        self._on_closed: OnClosed | None = None

    # What the application calls

    def listen(self, *, on_text: OnText, on_closed: OnClosed) -> None:
        """From now on pass every message on as it arrives, first those that waited; "" stands for a binary one.

        `on_closed` gets the close code of the other side, once, and nothing comes after it. Neither may raise.
        """
        self._on_text, self._on_closed, self._is_listening = on_text, on_closed, True
        # 7 KB that nothing needs any more. The parser holds the request to the end.
        self.request.headers.clear()
        cast("list[object]", self.scope["headers"]).clear()
        del self.request, self.response
        self._look_at_state()
        waiting, self.queue = self.queue, _Listener(self._pass_on)  # type: ignore[assignment]
        while not waiting.empty():
            self._pass_on(cast("MutableMapping[str, Any]", waiting.get_nowait()))
        self._read_on()

    def send_texts(self, texts: list[str]) -> None:
        """Send text frames in one write, without waiting. `stuck_since` says since when the peer takes too little."""
        if self._is_open:
            self._write(_framed(texts[0]) if len(texts) == 1 else b"".join(map(_framed, texts)))

    async def close(self, code: int) -> None:
        """Close after what was sent. Nothing is passed on any more. Raises OSError when the peer is gone."""
        self._on_text, self._on_closed = _ignore, None
        await self.send({"type": "websocket.close", "code": code, "reason": ""})
        self._look_at_state()

    # What the event loop and uvicorn call

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._write = transport.write

    def data_received(self, data: bytes) -> None:
        if not self._has_short_path:
            self._receive_frame(data)
            return
        if not (self._is_plain or self.handshake_complete):
            # Frames that come before the handshake is answered are uvicorn's to keep, and so is all after them.
            self._has_short_path = not self.handshake_initiated
            self._receive_frame(data)
            return
        if self._rest:
            data = self._rest + data
            self._rest = b""
        size = len(data)
        start = 0
        while size - start >= SHORTEST_FRAME:
            length = data[start + 1]
            mask_at = start + 2
            if length == MASKED | SIZE_IN_16_BITS:
                length = data[start + 2] << 8 | data[start + 3]
                mask_at = start + 4
            elif MASKED <= length < MASKED | SIZE_IN_16_BITS:
                length -= MASKED
            else:  # not masked, or larger than any frame may be: an error, with which uvicorn ends the connection
                self._has_short_path = False
                self._receive_frame(data[start:])
                return
            payload_at = mask_at + 4
            end = payload_at + length
            if end > size:
                break
            if self._is_plain and data[start] == WHOLE_TEXT:
                try:
                    text = apply_mask(data[payload_at:end], data[mask_at:payload_at]).decode()
                except UnicodeDecodeError:
                    self._receive_frame(data[start:end])  # closes with 1007
                else:
                    self._on_text(text)
            else:
                self._receive_frame(data[start:end])
            start = end
        if start < size:
            self._rest = data[start:]

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if not self.close_sent:
            cast("dict[str, object]", self.scope["extensions"])[EXTENSION] = self

    def send_receive_event_to_app(self) -> None:
        super().send_receive_event_to_app()
        if self._is_listening:
            self._read_on()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._is_open = self._is_plain = False

    def pause_writing(self) -> None:
        super().pause_writing()
        self.stuck_since = self.loop.time()

    def resume_writing(self) -> None:
        super().resume_writing()
        self.stuck_since = None

    def _pass_on(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "websocket.receive":
            self._on_text(message.get("text") or "")
        elif self._on_closed is not None:
            on_closed, self._on_text, self._on_closed = self._on_closed, _ignore, None
            on_closed(message.get("code", NO_CODE))

    def _receive_frame(self, data: bytes) -> None:
        """What is no whole text, or comes amid pieces or after a close, is the parent's."""
        super().data_received(data)
        self._look_at_state()

    def _look_at_state(self) -> None:
        self._is_open = not (self.close_sent or self.disconnected)
        self._is_plain = self._is_open and self._is_listening and not self.frames

    def _read_on(self) -> None:
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()


def _framed(text: str) -> bytes:
    payload = text.encode()
    size = len(payload)
    if size < SIZE_IN_16_BITS:
        return _short_head(WHOLE_TEXT, size) + payload
    if size < 1 << 16:
        return _head(WHOLE_TEXT, SIZE_IN_16_BITS, size) + payload
    return _long_head(WHOLE_TEXT, SIZE_IN_16_BITS + 1, size) + payload


def _ignore(text: str) -> None:
    """What comes after the end."""


class _Listener:
    """In the place of uvicorn's queue."""

    def __init__(self, put: Callable[[MutableMapping[str, Any]], None]) -> None:
        self.put_nowait = put
