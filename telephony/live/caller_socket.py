"""The caller's socket once its stream has started: frames come by callback and leave without waiting."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol, cast

from voiceapp.core.http.websocket_protocol import EXTENSION, NO_CODE, OnClosed, OnText

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

CLOSE_WITHIN_S = 2.0
POLICY_VIOLATION = 1008
NOT_UNDERSTOOD = 1007


class CallerSocket(Protocol):
    """What a call needs of its caller's socket."""

    @property
    def stuck_since(self) -> float | None:
        """Since when (the loop's clock) the peer has taken less than it was sent; None while it keeps up."""

    def listen(self, *, on_text: OnText, on_closed: OnClosed) -> None:
        """From now on pass on every text frame as it arrives, first those that waited; at last the close code."""

    def send_texts(self, texts: list[str]) -> None:
        """Send text frames, in order and without waiting."""

    async def close(self, code: int) -> None:
        """Close after what was sent. Nothing is passed on any more."""


def caller_socket(scope: Message, receive: Receive, send: Send) -> CallerSocket:
    """The short path of our own server where there is one (voiceapp.core.http.websocket_protocol)."""
    direct = (scope.get("extensions") or {}).get(EXTENSION)
    return AsgiCallerSocket(receive, send) if direct is None else cast("CallerSocket", direct)


class AsgiCallerSocket:
    """A socket of any ASGI server, such as daphne's behind `runserver`: a task reads and another one writes."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self.stuck_since: float | None = None
        self._receive = receive
        self._send = send
        self._waiting: list[str] = []
        self._wake = asyncio.Event()
        self._is_closing = False

    def listen(self, *, on_text: OnText, on_closed: OnClosed) -> None:
        self._reader = asyncio.create_task(self._read(on_text, on_closed))
        self._writer = asyncio.create_task(self._write())

    def send_texts(self, texts: list[str]) -> None:
        self._waiting += texts
        self._wake.set()

    async def close(self, code: int) -> None:
        self._reader.cancel()
        self._is_closing = True
        self._wake.set()
        done, _ = await asyncio.wait({self._writer}, timeout=CLOSE_WITHIN_S)
        self._writer.cancel()
        if done and self._writer.exception() is None:
            await self._send({"type": "websocket.close", "code": code})

    async def _read(self, on_text: OnText, on_closed: OnClosed) -> None:
        while (message := await self._receive())["type"] == "websocket.receive":
            on_text(message.get("text") or "")
        on_closed(message.get("code", NO_CODE))

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(
            OSError
        ):  # the peer is gone (ASGI 2.4): the reader learns it too, after what came before
            while not self._is_closing or self._waiting:
                await self._wake.wait()
                self._wake.clear()
                texts, self._waiting = self._waiting, []
                self.stuck_since = loop.time()
                for text in texts:
                    await self._send({"type": "websocket.send", "text": text})
                self.stuck_since = None
