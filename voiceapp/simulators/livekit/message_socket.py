"""A WebSocket of binary protobuf messages: sent in order without waiting, received one by one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Generic, Self, TypeVar

from aiohttp import WSMsgType, web
from google.protobuf.message import DecodeError, Message

Received = TypeVar("Received", bound=Message)

_HEARTBEAT_S = 30.0


class MessageSocket(Generic[Received]):
    """`async with MessageSocket(request, Kind) as socket: async for message in socket: …`

    A message that cannot be read, or text, ends the iteration, as on the real server.
    """

    def __init__(self, request: web.Request, received: type[Received]) -> None:
        self._request, self._received = request, received
        self.response = web.WebSocketResponse(heartbeat=_HEARTBEAT_S)
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._writer: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.response.prepare(self._request)
        self._writer = asyncio.create_task(self._write(), name="messages to a socket")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()
        assert self._writer
        await self._writer

    async def __aiter__(self) -> AsyncIterator[Received]:
        async for frame in self.response:
            if frame.type is not WSMsgType.BINARY:
                return
            try:
                message = self._received.FromString(frame.data)
            except DecodeError:
                return
            yield message

    def send(self, message: Message) -> None:
        self._queue.put_nowait(message.SerializeToString())

    def close(self) -> None:
        """After all that was sent before."""
        self._queue.put_nowait(None)

    async def _write(self) -> None:
        with contextlib.suppress(ConnectionError):
            while (data := await self._queue.get()) is not None:
                await self.response.send_bytes(data)
        await self.response.close()
