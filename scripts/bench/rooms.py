"""Callers in rooms with agents: prints how long they waited. Run in an environment that has LiveKit's own client.

python scripts/bench/rooms.py URL KEY CALLS WORKER_PID
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable

import httpx
import numpy as np
from livekit import rtc
from processes import pss_kb

from voiceapp.simulators import speech
from voiceapp.simulators.model.resampling import upsample

RATE, FRAME = 48_000, 960
LOUD = 700
QUIET_S = 1.0
WITHIN_S = 40.0
SENTENCE = "Hi, two small funghi, please."


class Caller:
    """One person, who hears the greeting to its end, says a sentence, and hears the answer begin."""

    def __init__(self) -> None:
        self.room = rtc.Room()
        self.loud_at = 0.0
        self.joined = asyncio.Event()
        self._source = rtc.AudioSource(RATE, 1, queue_size_ms=60)
        self._unsaid = b""
        self._tasks: list[asyncio.Task[None]] = []
        self.room.on("participant_connected", lambda _: self.joined.set())
        self.room.on("track_subscribed", self._on_track)

    async def ring(self, client: httpx.AsyncClient) -> float:
        """Seconds from the request that dispatches the agent until it is there."""
        began_at = time.monotonic()
        answer = await client.post("/api/voice/session", json={"enableRecording": False})
        answer.raise_for_status()
        opened = answer.json()["session"]
        await self.room.connect(opened["livekitHost"].replace("http", "ws", 1), opened["token"])
        if self.room.remote_participants:
            self.joined.set()
        await asyncio.wait_for(self.joined.wait(), WITHIN_S)
        return time.monotonic() - began_at

    async def talk(self) -> float:
        """Seconds from the end of the sentence to the first sound of the answer."""
        track = rtc.LocalAudioTrack.create_audio_track("microphone", self._source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        await self.room.local_participant.publish_track(track, options)
        self._tasks.append(asyncio.create_task(self._speak()))
        async with asyncio.timeout(WITHIN_S):
            await _until(lambda: self.loud_at > 0 and time.monotonic() - self.loud_at > QUIET_S)
            self._unsaid = upsample(speech.say(SENTENCE), RATE)
            await _until(lambda: not self._unsaid)
            ended_at = time.monotonic()
            await _until(lambda: self.loud_at > ended_at)
        return self.loud_at - ended_at

    async def leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        await self.room.disconnect()

    async def _speak(self) -> None:
        size = FRAME * 2
        while True:
            chunk, self._unsaid = self._unsaid[:size], self._unsaid[size:]
            await self._source.capture_frame(rtc.AudioFrame(chunk.ljust(size, b"\0"), RATE, 1, FRAME))

    def _on_track(self, track: rtc.Track, *_: object) -> None:
        self._tasks.append(asyncio.create_task(self._listen(track)))

    async def _listen(self, track: rtc.Track) -> None:
        async for event in rtc.AudioStream(track, sample_rate=8_000, num_channels=1):
            if np.abs(np.frombuffer(bytes(event.frame.data), np.int16)).max(initial=0) > LOUD:
                self.loud_at = time.monotonic()


async def _until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110 - frames of sound are no event
        await asyncio.sleep(0.005)


async def play(url: str, key: str, calls: int, worker: int) -> dict[str, object]:
    """One call after the other first, then so many at once."""
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=WITHIN_S) as client:
        joined_s, answered_s = [], []
        for _ in range(2):
            caller = Caller()
            joined_s.append(await caller.ring(client))
            answered_s.append(await caller.talk())
            await caller.leave()
            await asyncio.sleep(3)
        idle_kb = pss_kb(worker)
        callers = [Caller() for _ in range(calls)]
        at_once_s = await asyncio.gather(*(caller.ring(client) for caller in callers))
        await asyncio.sleep(5)
        kb_per_call = (pss_kb(worker) - idle_kb) / calls
        await asyncio.gather(*(caller.leave() for caller in callers))
    return {"joined_s": joined_s, "answered_s": answered_s, "at_once_s": at_once_s, "kb_per_call": kb_per_call}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(play(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))))
