"""The carrying process's end of the way to a listener in another process."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque

import structlog

from .listeners import Frame, Listener

logger = structlog.get_logger("listening")

# 2 s of sound: a listener that takes less than is said loses the oldest.
MOST_WAITING = 20
IDLE_S = 2.0


class Outlet(ABC):
    """Frames wait here, a bounded number, for a task that sends them: the call waits for nothing."""

    def __init__(self, place: str, *, wants_sound: bool) -> None:
        self._place = place
        self._waiting: deque[Frame] = deque(maxlen=MOST_WAITING)
        self._news = asyncio.Event()
        self.listener = Listener(self._take, wants_sound=wants_sound)
        self._sending = asyncio.create_task(self._run())
        _sending.add(self._sending)
        self._sending.add_done_callback(_sending.discard)

    @abstractmethod
    async def _send_all(self) -> None:
        """Until the other side is gone, or `_next` has nothing more."""

    async def _next(self) -> Frame | None:
        """The next frame, an empty one where none came for a while. None: there is no more."""
        while not self._waiting:
            if self.listener.gone.is_set():
                return None
            self._news.clear()
            try:
                async with asyncio.timeout(IDLE_S):
                    await self._news.wait()
            except TimeoutError:
                return b""
        return self._waiting.popleft()

    def _take(self, frame: Frame) -> None:
        self._waiting.append(frame)
        self._news.set()

    async def _run(self) -> None:
        try:
            await self._send_all()
        except Exception as fault:  # the listener's loss, and never the call's
            logger.warning("listener lost", exc_info=fault)
        finally:
            self.listener.gone.set()


_sending: set[asyncio.Task[None]] = set()
