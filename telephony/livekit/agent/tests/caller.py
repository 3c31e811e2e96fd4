"""A person in a room, with LiveKit's own client: speaks sentences into it, and keeps what it hears and reads."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import numpy as np
from livekit import rtc

from voiceapp.simulators import speech
from voiceapp.simulators.model.resampling import upsample

RATE, FRAME = 48_000, 960
LOUD = 700
# After so long without a frame the other side hears a gap.
LATE_S = 0.06
WITHIN_S = 30.0


class RoomCaller:
    """`states`: what the agent's attribute said, in order; `captions`: the newest text of each segment, by identity;
    `chat`: what was written back.

    Times are those of `time.monotonic`: of loud sound that was heard, of the end of what was said, of the agent's
    coming. `said` (48 kHz) and `heard` (8 kHz): all samples, in real time without a gap. `was_late`: it had no time to
    speak when it should have.
    """

    def __init__(self) -> None:
        self.room = rtc.Room()
        self.states: list[str] = []
        self.captions: dict[tuple[str, str], str] = {}
        self.chat: list[str] = []
        self.said, self.heard = bytearray(), bytearray()
        self.was_late = False
        self.loud_at_s: list[float] = []
        self.spoke_until_s = 0.0
        self.agent_came_at_s = 0.0
        self._unsaid = b""
        self._loud_mouth_s: float | None = None  # when the first loud frame of a sentence was sent
        self._source = rtc.AudioSource(RATE, 1, queue_size_ms=20)
        self._tasks: set[asyncio.Task[None]] = set()
        self.room.on("track_subscribed", self._on_track)
        self.room.on("participant_attributes_changed", self._on_attributes)
        self.room.on("participant_connected", self._on_participant)
        self.room.register_text_stream_handler("lk.transcription", self._on_text)
        self.room.register_text_stream_handler("lk.chat", self._on_chat)

    def __str__(self) -> str:
        heard = [round(at_s, 1) for at_s in self.loud_at_s[::50]]
        return f"{self.states=} {self.captions=} {heard=} {self.agent_came_at_s=:.1f} {self.spoke_until_s=:.1f}"

    async def join(self, url: str, token: str) -> None:
        await self.room.connect(url.replace("http", "ws", 1), token)
        for participant in self.room.remote_participants.values():
            self._on_participant(participant)

    async def publish(self) -> None:
        track = rtc.LocalAudioTrack.create_audio_track("microphone", self._source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        await self.room.local_participant.publish_track(track, options)
        self._start(self._speak())

    def say(self, text: str) -> None:
        self.play(speech.say(text))

    def play(self, pcm_8k: bytes) -> None:
        self._loud_mouth_s = None
        self._unsaid += upsample(pcm_8k, RATE)

    @property
    def agents(self) -> list[str]:
        """The identities of those in the room."""
        others = self.room.remote_participants.values()
        return [each.identity for each in others if each.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT]

    @property
    def has_spoken(self) -> bool:
        return not self._unsaid

    def is_quiet(self, *, for_s: float) -> bool:
        return not self.loud_at_s or time.monotonic() - self.loud_at_s[-1] > for_s

    async def hears_to_the_end(self, *, after_s: float = 0.0, quiet_s: float = 1.2) -> None:
        """Something loud later than `after_s`, and then a pause."""
        until_s = time.monotonic() + WITHIN_S
        while not (self.loud_at_s and self.loud_at_s[-1] > after_s and self.is_quiet(for_s=quiet_s)):
            assert time.monotonic() < until_s, f"heard nothing to the end after {after_s:.1f}: {self}"
            await asyncio.sleep(0.02)

    async def tells(self, text: str) -> None:
        """Say it, and hear the answer to its end."""
        self.say(text)
        while not self.has_spoken:
            await asyncio.sleep(0.02)
        await self.hears_to_the_end(after_s=time.monotonic())

    async def hears(self) -> None:
        """Something loud from now on."""
        began_s = time.monotonic()
        async with asyncio.timeout(WITHIN_S):
            while not any(at_s > began_s for at_s in self.loud_at_s):
                await asyncio.sleep(0.02)

    async def interrupts(self, text: str, *, after_s: float = 1.0) -> float:
        """Say it when the agent has been heard for so long, and hear the answer to its end. Seconds from the first
        sound of what was said to the last of what was interrupted.
        """
        await self.hears()
        await asyncio.sleep(after_s)
        self.say(text)
        async with asyncio.timeout(WITHIN_S):
            while self._loud_mouth_s is None or not self.is_quiet(for_s=0.4):
                await asyncio.sleep(0.02)
        stopped_s = self.loud_at_s[-1]
        while not self.has_spoken:
            await asyncio.sleep(0.02)
        await self.hears_to_the_end(after_s=max(stopped_s, self.spoke_until_s))
        return stopped_s - self._loud_mouth_s

    async def types(self, text: str) -> None:
        """Write it to the agent, as LiveKit's clients do, and hear the answer to its end."""
        began_s = time.monotonic()
        await self.room.local_participant.send_text(text, topic="lk.chat")
        await self.hears_to_the_end(after_s=began_s)

    def said_by(self, part_of_identity: str) -> str:
        lines = (text for (identity, _), text in self.captions.items() if part_of_identity in identity)
        return " ".join(lines)

    async def leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.room.disconnect()

    async def _speak(self) -> None:
        size = FRAME * 2
        spoke_at_s = time.monotonic()
        while True:
            before_s, spoke_at_s = spoke_at_s, time.monotonic()
            self.was_late |= spoke_at_s - before_s > LATE_S
            chunk, self._unsaid = self._unsaid[:size], self._unsaid[size:]
            if self._loud_mouth_s is None and np.abs(np.frombuffer(chunk, np.int16)).max(initial=0) > LOUD:
                self._loud_mouth_s = time.monotonic()
            self.said += chunk.ljust(size, b"\0")
            await self._source.capture_frame(rtc.AudioFrame(chunk.ljust(size, b"\0"), RATE, 1, FRAME))
            if chunk:
                self.spoke_until_s = time.monotonic() + self._source.queued_duration

    def _on_track(self, track: rtc.Track, *_: object) -> None:
        self._start(self._listen(track))

    async def _listen(self, track: rtc.Track) -> None:
        async for event in rtc.AudioStream(track, sample_rate=8_000, num_channels=1, frame_size_ms=20):
            samples = np.frombuffer(bytes(event.frame.data), np.int16)
            self.heard += bytes(event.frame.data)
            if np.abs(samples).max(initial=0) > LOUD:
                self.loud_at_s.append(time.monotonic())

    def _on_participant(self, participant: rtc.RemoteParticipant) -> None:
        if participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT and not self.agent_came_at_s:
            self.agent_came_at_s = time.monotonic()

    def _on_attributes(self, changed: dict[str, str], _: object) -> None:
        if "lk.agent.state" in changed:
            self.states.append(changed["lk.agent.state"])

    def _on_text(self, reader: rtc.TextStreamReader, identity: str) -> None:
        self._start(self._read(reader, identity))

    def _on_chat(self, reader: rtc.TextStreamReader, _: str) -> None:
        async def read() -> None:
            self.chat.append(await reader.read_all())

        self._start(read())

    async def _read(self, reader: rtc.TextStreamReader, identity: str) -> None:
        segment = (reader.info.attributes or {}).get("lk.segment_id", reader.info.stream_id)
        self.captions[identity, segment] = ""
        async for part in reader:
            self.captions[identity, segment] += part

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)


@contextlib.asynccontextmanager
async def room_caller(url: str, token: str) -> AsyncIterator[RoomCaller]:
    caller = RoomCaller()
    async with asyncio.timeout(WITHIN_S):
        await caller.join(url, token)
    try:
        await caller.publish()
        yield caller
    finally:
        await caller.leave()
