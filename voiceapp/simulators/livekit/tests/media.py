"""A participant with LiveKit's client for Python: it plays tones into the room and measures what it hears."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from livekit import api, rtc

from voiceapp.simulators.livekit.tests.sides import Side

RATE, FRAME = 48_000, 480
LEVEL = 8_000
LOUD = 1_000
WITHIN_S = 10.0


def join_token(side: Side, room: str, identity: str, **grants: Any) -> str:
    allowed = api.VideoGrants(room_join=True, room=room, can_update_own_metadata=True, **grants)
    return api.AccessToken(side.api_key, side.api_secret).with_identity(identity).with_grants(allowed).to_jwt()


@dataclass(frozen=True, slots=True)
class Heard:
    """A piece of sound and when it came."""

    at_s: float
    sound: np.ndarray[Any, np.dtype[np.int16]]


class Participant:
    """`heard`: by the identity of who was heard. `reasons`: why it was disconnected."""

    def __init__(self) -> None:
        self.room = rtc.Room()
        self.heard: dict[str, list[Heard]] = {}
        self.disconnected: asyncio.Queue[int] = asyncio.Queue()
        self._source = rtc.AudioSource(RATE, 1, queue_size_ms=20)
        self._tasks: set[asyncio.Task[None]] = set()
        self.room.on("track_subscribed", self._listen)
        self.room.on("disconnected", lambda reason: self.disconnected.put_nowait(int(reason)))

    async def publish(self) -> rtc.LocalTrackPublication:
        track = rtc.LocalAudioTrack.create_audio_track("microphone", self._source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        return await self.room.local_participant.publish_track(track, options)

    async def play(self, *, hertz: int, seconds: float) -> float:
        """A tone; 0 Hz is silence. When it began."""
        began_s, count = time.monotonic(), round(seconds * RATE / FRAME)
        for number in range(count):
            phase = 2 * np.pi * hertz * (number * FRAME + np.arange(FRAME)) / RATE
            frame = (LEVEL * np.sin(phase)).astype(np.int16).tobytes()
            await self._source.capture_frame(rtc.AudioFrame(frame, RATE, 1, FRAME))
        return began_s

    def loud_since_s(self, identity: str) -> float | None:
        loud = (each.at_s for each in self.heard.get(identity, ()) if np.abs(each.sound).max() > LOUD)
        return next(loud, None)

    async def leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        await self.room.disconnect()

    def _listen(self, track: rtc.Track, _: object, speaker: rtc.RemoteParticipant) -> None:
        task = asyncio.create_task(self._hear(track, self.heard.setdefault(speaker.identity, [])))
        self._tasks.add(task)

    async def _hear(self, track: rtc.Track, heard: list[Heard]) -> None:
        async for event in rtc.AudioStream(track, sample_rate=RATE, num_channels=1):
            heard.append(Heard(time.monotonic(), np.frombuffer(bytes(event.frame.data), np.int16)))


async def until(is_true: Callable[[], object], *, within_s: float = 15) -> None:
    async with asyncio.timeout(within_s):
        while not is_true():
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def participant(side: Side, token: str) -> AsyncIterator[Participant]:
    one = Participant()
    async with asyncio.timeout(WITHIN_S):
        await one.room.connect(side.url.replace("http", "ws", 1), token)
    try:
        yield one
    finally:
        await one.leave()


def loudest_hertz(heard: list[Heard]) -> float:
    sound = np.concatenate([each.sound for each in heard])
    return float(np.fft.rfftfreq(len(sound), 1 / RATE)[np.abs(np.fft.rfft(sound)).argmax()])


def level(heard: list[Heard]) -> float:
    """The peak of a tone with as much power."""
    sound = np.concatenate([each.sound for each in heard]).astype(float)
    return float(np.sqrt(2 * np.mean(sound**2)))
