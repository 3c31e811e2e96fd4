"""Participants who join a real LiveKit with LiveKit's own client for Python and publish a microphone."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

from livekit import rtc

T = TypeVar("T")

JOIN_WITHIN_S = 20
RATE = 48_000


class People:
    """The participants by room and identity. Made by `people()`; its client runs on a loop of its own."""

    def __init__(self, url: str, loop: asyncio.AbstractEventLoop) -> None:
        """`url`: ws://…"""
        self._url, self._loop = url, loop
        self._rooms: dict[tuple[str, str], rtc.Room] = {}

    def join(self, token: str, *, publish: bool = True) -> str:
        """Enter the token's room; the identity. Raises rtc.ConnectError where the server refuses."""
        return self._run(self._join(token, publish=publish))

    def leave(self, room: str, identity: str) -> None:
        self._run(self._rooms.pop((room, identity)).disconnect())

    def leave_all(self) -> None:
        for room, identity in list(self._rooms):
            self.leave(room, identity)

    async def _join(self, token: str, *, publish: bool) -> str:
        room = rtc.Room(loop=self._loop)
        await room.connect(self._url, token, rtc.RoomOptions(auto_subscribe=False))
        self._rooms[room.name, room.local_participant.identity] = room
        if publish:
            microphone = rtc.LocalAudioTrack.create_audio_track("microphone", rtc.AudioSource(RATE, 1))
            options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
            await room.local_participant.publish_track(microphone, options)
        return str(room.local_participant.identity)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(JOIN_WITHIN_S)


@contextlib.contextmanager
def people(url: str) -> Iterator[People]:
    """Participants who are still in a room leave at the end."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="people in rooms", daemon=True)
    thread.start()
    those = People(url.replace("http", "ws", 1), loop)
    try:
        yield those
    finally:
        those.leave_all()
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()
