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
    """Frames wait here, a bounded number, until they can be sent: the call waits for nothing.

    A frame wakes no task: what is sent is sent from the call's own clock, or together with that of all other calls.
    """

    def __init__(self, place: str, *, wants_sound: bool) -> None:
        self._place = place
        self._waiting: deque[Frame] = deque(maxlen=MOST_WAITING)
        self._had_news = False
        self.listener = Listener(self._take, wants_sound=wants_sound)
        self._running = asyncio.create_task(self._run())
        _running.add(self._running)
        self._running.add_done_callback(_running.discard)

    @abstractmethod
    async def _open(self) -> None:
        """Find the other side. Frames wait meanwhile."""

    @abstractmethod
    def _send(self) -> None:
        """Send what waits, as far as that is possible at once."""

    @abstractmethod
    def _close(self) -> None:
        """Send what still waits, and nothing after it."""

    def _take(self, frame: Frame) -> None:
        self._had_news = True
        self._waiting.append(frame)
        try:
            self._send()
        except Exception as fault:  # noqa: BLE001 - the listener's loss, and never the call's
            self._lose(fault)

    async def _run(self) -> None:
        try:
            await self._open()
            self._send()
            while not await self._is_gone_within(IDLE_S):
                if not self._had_news:
                    self._take(b"")  # so that the other side knows that somebody is there
                self._had_news = False
            self._close()
        except Exception as fault:  # noqa: BLE001 - the listener's loss, and never the call's
            self._lose(fault)
        finally:
            self.listener.gone.set()

    async def _is_gone_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self.listener.gone.wait()
        except TimeoutError:
            return False

    def _lose(self, fault: Exception) -> None:
        logger.warning("listener lost", exc_info=fault)
        self.listener.gone.set()


_running: set[asyncio.Task[None]] = set()
