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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stuck_since: float | None = None
        self._rest = b""
        self._has_short_path = True
        self._on_text: OnText | None = None
        self._on_closed: OnClosed | None = None

    # What the application calls

    def listen(self, *, on_text: OnText, on_closed: OnClosed) -> None:
        """From now on pass every message on as it arrives, first those that waited; "" stands for a binary one.

        `on_closed` gets the close code of the other side, once, and nothing comes after it. Neither may raise.
        """
        self._on_text, self._on_closed = on_text, on_closed
        # 7 KB that nothing needs any more. The parser holds the request to the end.
        self.request.headers.clear()
        cast("list[object]", self.scope["headers"]).clear()
        del self.request, self.response
        waiting, self.queue = self.queue, _Listener(self._pass_on)  # type: ignore[assignment]
        while not waiting.empty():
            self._pass_on(cast("MutableMapping[str, Any]", waiting.get_nowait()))
        self._read_on()

    def send_texts(self, texts: list[str]) -> None:
        """Send text frames in one write, without waiting. `stuck_since` says since when the peer takes too little."""
        if self.close_sent or self.disconnected:
            return
        parts = []
        for text in texts:
            payload = text.encode()
            size = len(payload)
            if size < SIZE_IN_16_BITS:
                parts.append(_short_head(WHOLE_TEXT, size))
            elif size < 1 << 16:
                parts.append(_head(WHOLE_TEXT, SIZE_IN_16_BITS, size))
            else:
                parts.append(_long_head(WHOLE_TEXT, SIZE_IN_16_BITS + 1, size))
            parts.append(payload)
        self.transport.write(b"".join(parts))

    async def close(self, code: int) -> None:
        """Close after what was sent. Nothing is passed on any more. Raises OSError when the peer is gone."""
        self._on_text, self._on_closed = _ignore, None
        await self.send({"type": "websocket.close", "code": code, "reason": ""})

    # What the event loop and uvicorn call

    def data_received(self, data: bytes) -> None:
        if not self._has_short_path:
            super().data_received(data)
            return
        if not self.handshake_complete:
            # Frames that come before the handshake is answered are uvicorn's to keep, and so is all after them.
            self._has_short_path = not self.handshake_initiated
            super().data_received(data)
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
                super().data_received(data[start:])
                return
            payload_at = mask_at + 4
            end = payload_at + length
            if end > size:
                break
            if data[start] == WHOLE_TEXT and self._on_text is not None and not (self.frames or self.close_sent):
                try:
                    text = apply_mask(data[payload_at:end], data[mask_at:payload_at]).decode()
                except UnicodeDecodeError:
                    super().data_received(data[start:end])  # closes with 1007
                else:
                    self._on_text(text)
            else:
                super().data_received(data[start:end])
            start = end
        self._rest = data[start:]

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if not self.close_sent:
            cast("dict[str, object]", self.scope["extensions"])[EXTENSION] = self

    def send_receive_event_to_app(self) -> None:
        super().send_receive_event_to_app()
        if self._on_text is not None:
            self._read_on()

    def pause_writing(self) -> None:
        super().pause_writing()
        self.stuck_since = self.loop.time()

    def resume_writing(self) -> None:
        super().resume_writing()
        self.stuck_since = None

    def _pass_on(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "websocket.receive":
            if self._on_text is not None:
                self._on_text(message.get("text") or "")
        elif self._on_closed is not None:
            on_closed, self._on_text, self._on_closed = self._on_closed, _ignore, None
            on_closed(message.get("code", NO_CODE))

    def _read_on(self) -> None:
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()


def _ignore(text: str) -> None:
    """What comes after the end."""


class _Listener:
    """In the place of uvicorn's queue."""

    def __init__(self, put: Callable[[MutableMapping[str, Any]], None]) -> None:
        self.put_nowait = put
