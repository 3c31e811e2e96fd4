"""The line of a dialer's page: one socket after the other, between which nothing of ours is lost.

Both sides count the texts. A page that comes back says how many it has had, and gets the rest.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from functools import partial

from voiceapp.core.http.websocket_protocol import OnClosed, OnText

from .caller_socket import CLOSE_WITHIN_S, CallerSocket

# Longer than a call waits for its page: what was sent before has arrived, or the call is over.
KEEP_S = 20.0
STUCK_WITHIN_S = 2.0
REPLACED = 1012
# How a socket ends that nobody has closed: without a frame (uvicorn says 1005), or by a proxy that restarts.
BROKEN = frozenset({1005, 1006, 1012, 1013, 1014})


class PageLine:
    """The CallerSocket of a call. A socket that breaks is no end of it: the call waits to be heard again."""

    stuck_since: float | None = None  # such a socket counts as broken

    def __init__(self, socket: CallerSocket) -> None:
        self._loop = asyncio.get_running_loop()
        self._socket: CallerSocket | None = socket
        self._gone = asyncio.Event()
        self._kept: deque[tuple[float, str]] = deque()
        self._sent = 0
        self._closing: set[asyncio.Task[None]] = set()
        self._is_closed = False

    @property
    def gone(self) -> asyncio.Event:
        """Set when the socket of now is this line's no longer."""
        return self._gone

    def has_kept(self, received: int) -> bool:
        """Whether a page that has had so many texts can be sent all the others."""
        return not self._is_closed and self._sent - len(self._kept) <= received <= self._sent

    def take(self, socket: CallerSocket, *, greeting: str, received: int) -> list[str]:
        """The page has another socket. `greeting` is not counted; then follows what it has not had (`has_kept`), which
        is returned."""
        self._drop(REPLACED)
        self._socket, self._gone = socket, asyncio.Event()
        count = self._sent - received
        missing = [text for _, text in list(self._kept)[len(self._kept) - count :]]
        socket.send_texts([greeting, *missing])
        self._attach(socket)
        return missing

    def tick(self, now: float) -> None:
        """`now`: the loop's clock in seconds."""
        while self._kept and now - self._kept[0][0] > KEEP_S:
            self._kept.popleft()
        stuck_since = self._socket.stuck_since if self._socket is not None else None
        if stuck_since is not None and now - stuck_since > STUCK_WITHIN_S:
            self._drop(REPLACED)

    # CallerSocket

    def listen(self, *, on_text: OnText, on_closed: OnClosed) -> None:
        self._on_text, self._on_closed = on_text, on_closed
        if self._socket is not None:  # pragma: no branch - it has just been opened
            self._attach(self._socket)

    def send_texts(self, texts: list[str]) -> None:
        now = self._loop.time()
        self._sent += len(texts)
        self._kept.extend((now, text) for text in texts)
        if self._socket is not None:
            self._socket.send_texts(texts)

    async def close(self, code: int) -> None:
        self._is_closed = True
        socket, self._socket = self._socket, None
        self._gone.set()
        if socket is not None:
            await socket.close(code)

    # Its sockets

    def _attach(self, socket: CallerSocket) -> None:
        socket.listen(on_text=partial(self._text, socket), on_closed=partial(self._closed, socket))

    def _text(self, socket: CallerSocket, text: str) -> None:
        if socket is self._socket:
            self._on_text(text)

    def _closed(self, socket: CallerSocket, code: int) -> None:
        if socket is not self._socket:
            return
        self._socket = None
        self._gone.set()
        if code not in BROKEN:
            self._on_closed(code)

    def _drop(self, code: int) -> None:
        """The socket of now is broken, or will be replaced: nothing of it counts any more."""
        socket, self._socket = self._socket, None
        self._gone.set()
        if socket is not None:
            closing = asyncio.create_task(_close(socket, code))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)


async def _close(socket: CallerSocket, code: int) -> None:
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(CLOSE_WITHIN_S):
            await socket.close(code)
