"""Which tool the agent uses, for the page of a caller: an attribute of the agent's in the room, of our own name.

It has the tool's name alone, for everybody in the room can read it. When it changes, the page reads what has become of
the call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from livekit import rtc

ATTRIBUTE = "voiceapp.tool"


class ShownTool:
    """The newest of those that run; empty when none does."""

    def __init__(self, room: rtc.Room, begin: Callable[[Awaitable[None]], None]) -> None:
        """`begin` runs what it gets in the background."""
        self._room, self._begin = room, begin
        self._names: list[str] = []
        self._showing = asyncio.Lock()

    @contextmanager
    def running(self, name: str) -> Iterator[None]:
        self._names.append(name)
        self._begin(self._show())
        try:
            yield
        finally:
            self._names.remove(name)
            self._begin(self._show())

    async def _show(self) -> None:
        """One after the other: the last one shows how it is."""
        async with self._showing:
            if self._room.isconnected():
                await self._room.local_participant.set_attributes({ATTRIBUTE: self._names[-1] if self._names else ""})
