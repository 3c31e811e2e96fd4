"""A person in a room, with LiveKit's own client: speaks sentences into it, and keeps what it hears and reads."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import numpy as np
from livekit import rtc

from telephony.livekit.agent.way import TOPIC
from voiceapp.simulators import speech
from voiceapp.simulators.model.resampling import upsample

RATE, FRAME = 48_000, 480
FRAME_S = FRAME / RATE
LOUD = 700
REPORTS_EVERY_S = 0.1
HEARD_RATE, HEARD_FRAME_MS = 8_000, 20
WITHIN_S = 30.0


class RoomCaller:
    """`states`: what the agent's attribute said, in order; `captions`: the newest text of each segment, by identity;
    `chat`: what was written back.

    Times are those of `time.monotonic`: of loud sound that was heard, of the end of what was said, of the agent's
    coming. `said` (48 kHz) and `heard` (8 kHz): all samples. Those said begin at `said_from_s` (`time.time`) and have
    no gap; of what was heard, `heard_at_s` has the time of each 20 ms. It reports to the agent how long sound waits in
    its client, as our call page does.
    """

    def __init__(self) -> None:
        self.room = rtc.Room()
        self.states: list[str] = []
        self.captions: dict[tuple[str, str], str] = {}
        self.chat: list[str] = []
        self.said, self.heard = bytearray(), bytearray()
        self.said_from_s = 0.0
        self.heard_at_s: list[float] = []
        self.loud_at_s: list[float] = []
        self.spoke_until_s = 0.0
        self.agent_came_at_s = 0.0
        self._unsaid = b""
        self._loud_mouth_s: float | None = None  # when the first loud frame of a sentence was sent
        self._source = rtc.AudioSource(RATE, 1, queue_size_ms=0)  # as a microphone's: sent when it is there
        self._microphone: rtc.LocalAudioTrack | None = None
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
        track = self._microphone = rtc.LocalAudioTrack.create_audio_track("microphone", self._source)
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

    def lanes(self) -> tuple[bytes, bytes]:
        """What was said and heard, at 8 kHz, each where it was on one clock that begins with the first sample said."""
        said = np.frombuffer(bytes(self.said), np.int16)[:: RATE // HEARD_RATE]
        times, frames = (
            np.array(self.heard_at_s),
            np.frombuffer(bytes(self.heard), np.int16).reshape(len(self.heard_at_s), -1),
        )
        # A frame may be late in this process, and is never early.
        steady = times - np.arange(len(times)) * HEARD_FRAME_MS / 1000
        heard = np.zeros(max(len(said), 1) + 8 * HEARD_RATE, np.int16)
        for index, frame in enumerate(frames):
            at_s = steady[index : index + 50].min() + index * HEARD_FRAME_MS / 1000 - self.said_from_s
            at = round(at_s * HEARD_RATE)
            if 0 <= at < len(heard) - len(frame):
                heard[at : at + len(frame)] = frame
        return said.tobytes(), heard.tobytes()

    async def leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.room.disconnect()

    async def _speak(self) -> None:
        size = FRAME * 2
        self.said_from_s = time.time()
        while True:
            # A frame is there when it has been spoken; after a pause of this process' the others follow at once.
            await asyncio.sleep(self.said_from_s + len(self.said) / 2 / RATE + FRAME_S - time.time())
            chunk, self._unsaid = self._unsaid[:size], self._unsaid[size:]
            if self._loud_mouth_s is None and np.abs(np.frombuffer(chunk, np.int16)).max(initial=0) > LOUD:
                self._loud_mouth_s = time.monotonic()
            self.said += chunk.ljust(size, b"\0")
            await self._source.capture_frame(rtc.AudioFrame(chunk.ljust(size, b"\0"), RATE, 1, FRAME))
            if chunk:
                self.spoke_until_s = time.monotonic()

    def _on_track(self, track: rtc.Track, *_: object) -> None:
        self._start(self._listen(track))
        self._start(self._report(track))

    async def _listen(self, track: rtc.Track) -> None:
        async for event in rtc.AudioStream(track, sample_rate=HEARD_RATE, num_channels=1, frame_size_ms=HEARD_FRAME_MS):
            samples = np.frombuffer(bytes(event.frame.data), np.int16)
            self.heard += bytes(event.frame.data)
            # Its first half was taken out of the buffer 10 ms before its second one.
            self.heard_at_s.append(time.time() - FRAME_S)
            if np.abs(samples).max(initial=0) > LOUD:
                self.loud_at_s.append(time.monotonic())

    async def _report(self, track: rtc.Track) -> None:
        while True:
            await asyncio.sleep(REPORTS_EVERY_S)
            report: dict[str, float] = {}
            for each in await track.get_stats():
                if each.HasField("inbound_rtp"):
                    counts = each.inbound_rtp.inbound
                    added = counts.concealed_samples + counts.inserted_samples_for_deceleration
                    report["waited_s"], report["taken"] = counts.jitter_buffer_delay, counts.jitter_buffer_emitted_count
                    report["added_s"] = (added - counts.removed_samples_for_acceleration) / RATE
            if self._microphone is not None:
                for each in await self._microphone.get_stats():
                    if each.HasField("remote_inbound_rtp"):
                        report["round_trip_s"] = each.remote_inbound_rtp.remote_inbound.round_trip_time
            if "taken" in report and self.agents:
                await self.room.local_participant.publish_data(
                    json.dumps(report), reliable=False, destination_identities=self.agents, topic=TOPIC
                )

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
