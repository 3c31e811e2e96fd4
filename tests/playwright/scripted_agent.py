"""An agent that joins a room by LiveKit's own client, hears that somebody spoke, and answers with captions and a tone,
until it is interrupted.

It is no model: the page is tested with it, and its caller's speech is known.
"""

from __future__ import annotations

import array
import asyncio
import contextlib
import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from livekit import rtc

from telephony.livekit.agent.interruption import METHOD, show_cut

RATE = 48_000
FRAME = RATE // 50
LOUD = 500
QUIET_FRAMES = 30
TONE_FRAMES = 500


@dataclass
class ScriptedAgent:
    """`heard` and `said` are the captions of its only turn; `cut` is what was heard of the latter when interrupted."""

    url: str
    token: str
    heard: str
    said: str
    cut: str
    room: rtc.Room = field(init=False)
    has_heard: threading.Event = field(default_factory=threading.Event)
    pressed_by: list[str] = field(default_factory=list)

    async def join(self) -> None:
        self.room = rtc.Room()
        self.room.on("track_subscribed", self._listen)
        await self.room.connect(self.url, self.token)
        self.room.local_participant.register_rpc_method(METHOD, self._interrupted)
        self._source = rtc.AudioSource(RATE, 1)
        track = rtc.LocalAudioTrack.create_audio_track("voice", self._source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        await self.room.local_participant.publish_track(track, options)
        await self._show("listening")

    async def leave(self) -> None:
        await self.room.disconnect()

    async def _interrupted(self, request: rtc.RpcInvocationData) -> str:
        self.pressed_by.append(request.caller_identity)
        self._source.clear_queue()
        await show_cut(self.room, self.cut)
        await self._show("listening")
        return ""

    def _listen(self, track: rtc.Track, _: object, who: rtc.RemoteParticipant) -> None:
        if track.kind == rtc.TrackKind.KIND_AUDIO:
            self._task = asyncio.ensure_future(self._take_turn(track, who))

    async def _take_turn(self, track: rtc.Track, who: rtc.RemoteParticipant) -> None:
        quiet = 0
        has_spoken = False
        async for event in rtc.AudioStream(track, sample_rate=RATE, num_channels=1):
            is_loud = _level(bytes(event.frame.data)) > LOUD
            has_spoken, quiet = has_spoken or is_loud, 0 if is_loud else quiet + 1
            if has_spoken and quiet > QUIET_FRAMES:
                break
        self.has_heard.set()
        await self._caption(self.heard[:9], sender=who.identity, segment="SG_caller", is_final=False)
        await self._caption(self.heard, sender=who.identity, segment="SG_caller", is_final=True)
        await self._show("speaking")
        speaking = asyncio.ensure_future(self._tone())
        await self._caption(self.said, sender=None, segment="SG_agent", is_final=True)
        await speaking
        if not self.pressed_by:
            await self._show("listening")

    async def _caption(self, text: str, *, sender: str | None, segment: str, is_final: bool) -> None:
        attributes = {"lk.segment_id": segment, "lk.transcription_final": str(is_final).lower()}
        writer = await self.room.local_participant.stream_text(
            topic="lk.transcription", attributes=attributes, sender_identity=sender
        )
        for word in text.split(" "):
            await writer.write(f"{word} ")
        await writer.aclose()

    async def _tone(self) -> None:
        for number in range(TONE_FRAMES):
            if self.pressed_by:
                return
            times = range(number * FRAME, (number + 1) * FRAME)
            samples = array.array("h", (int(8000 * math.sin(2 * math.pi * 440 * each / RATE)) for each in times))
            await self._source.capture_frame(rtc.AudioFrame(samples.tobytes(), RATE, 1, FRAME))

    async def _show(self, state: str) -> None:
        await self.room.local_participant.set_attributes({"lk.agent.state": state})


@contextlib.contextmanager
def in_room(agent: ScriptedAgent) -> Iterator[ScriptedAgent]:
    """On a loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="scripted agent", daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(agent.join(), loop).result(20)
    try:
        yield agent
    finally:
        asyncio.run_coroutine_threadsafe(agent.leave(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)


def _level(frame: bytes) -> float:
    samples = array.array("h", frame)
    return math.sqrt(sum(each * each for each in samples) / max(1, len(samples)))
