"""The caller's socket: its messages, and one writer per call, so that frames keep their order when it is slow."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from telephony.bridge.phone_call import PhoneCall

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

SEND_WITHIN_S = 2.0
POLICY_VIOLATION = 1008
NOT_UNDERSTOOD = 1007

# How ASGI servers say that the peer is gone (ASGI 2.4: any OSError from `send`).
ConnectionLost = OSError


class CallerWriter:
    """Sleeps until it is woken. A timer per frame would cost more than the frame: the call's tick looks instead."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._sending_since: float | None = None
        self._asleep: asyncio.Future[None] | None = None
        self._is_finishing = False

    def wake(self) -> None:
        if self._asleep is not None and not self._asleep.done():
            self._asleep.set_result(None)

    def finish(self) -> None:
        """Return from `run` once everything has left."""
        self._is_finishing = True
        self.wake()

    def is_stuck(self, now: float) -> bool:
        """The peer has taken nothing for 2 s."""
        return self._sending_since is not None and now - self._sending_since > SEND_WITHIN_S

    async def run(self, core: PhoneCall) -> None:
        """Send the core's frames. Raises ConnectionLost when the peer is gone."""
        send = self._send
        while True:
            while core.to_caller:
                texts, core.to_caller = core.to_caller, []
                self._sending_since = self._loop.time()
                for text in texts:
                    await send({"type": "websocket.send", "text": text})
                self._sending_since = None
            if self._is_finishing:
                return
            self._asleep = self._loop.create_future()
            await self._asleep

    async def close(self, code: int) -> None:
        with contextlib.suppress(ConnectionLost, TimeoutError):
            async with asyncio.timeout(SEND_WITHIN_S):
                await self._send({"type": "websocket.close", "code": code})
