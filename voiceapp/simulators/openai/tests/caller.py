"""A browser in a call over WebRTC, with another implementation's peer connection."""

from __future__ import annotations

import asyncio
import json
from fractions import Fraction
from typing import Any

import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from av import AudioFrame, AudioResampler

from voiceapp.simulators import speech
from voiceapp.simulators.model.resampling import upsample

LOUD = 500
WAIT_S = 15.0


class Microphone(MediaStreamTrack):
    """Silence, and what is said."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._unsaid = b""
        self._frames = 0
        self._began_s = 0.0

    def say(self, text: str) -> None:
        self._unsaid += upsample(speech.say(text), 24000)

    async def recv(self) -> AudioFrame:
        loop = asyncio.get_running_loop()
        self._began_s = self._began_s or loop.time()
        await asyncio.sleep(max(0.0, self._began_s + self._frames * 0.02 - loop.time()))
        frame = AudioFrame(format="s16", layout="mono", samples=480)
        chunk, self._unsaid = self._unsaid[:960], self._unsaid[960:]
        frame.planes[0].update(chunk.ljust(960, b"\0"))
        frame.sample_rate, frame.time_base, frame.pts = 24000, Fraction(1, 24000), self._frames * 480
        self._frames += 1
        return frame


class Caller:
    """A browser: a microphone, a loudspeaker and the data channel."""

    def __init__(self) -> None:
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.microphone = Microphone()
        self.peer.addTrack(self.microphone)
        self.channel = self.peer.createDataChannel("oai-events")
        self.events: list[dict[str, Any]] = []
        self.loud_at_s: list[float] = []
        self.received_ms = 0.0
        self.channel.on("message", lambda message: self.events.append(json.loads(message)))
        self.peer.on("track", self._on_track)
        self._listening: asyncio.Task[None] | None = None

    def _on_track(self, track: MediaStreamTrack) -> None:
        self._listening = asyncio.get_running_loop().create_task(self._listen(track))

    async def _listen(self, track: MediaStreamTrack) -> None:
        resampler = AudioResampler(format="s16", layout="mono", rate=8000)
        while True:
            frame = await track.recv()
            assert isinstance(frame, AudioFrame)
            self.received_ms += 1000 * frame.samples / frame.sample_rate
            for each in resampler.resample(frame):
                samples = np.frombuffer(bytes(each.planes[0])[: each.samples * 2], dtype="<i2")
                if np.abs(samples).max(initial=0) > LOUD:
                    self.loud_at_s.append(asyncio.get_running_loop().time())

    async def offer(self) -> str:
        await self.peer.setLocalDescription(await self.peer.createOffer())
        return str(self.peer.localDescription.sdp)

    async def accept(self, answer: str) -> None:
        await self.peer.setRemoteDescription(RTCSessionDescription(sdp=answer, type="answer"))

    def send(self, event: dict[str, Any]) -> None:
        self.channel.send(json.dumps(event))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]

    async def until(self, kind: str, count: int = 1) -> dict[str, Any]:
        async with asyncio.timeout(WAIT_S):
            while len(self.of(kind)) < count:
                await asyncio.sleep(0.01)
        return self.of(kind)[count - 1]

    async def hears(self, ms: int) -> None:
        """So much, from the first word on."""
        async with asyncio.timeout(WAIT_S):
            while not self.loud_at_s:
                await asyncio.sleep(0.01)
            until_ms = self.received_ms + ms
            while self.received_ms < until_ms:
                await asyncio.sleep(0.01)

    async def close(self) -> None:
        await self.peer.close()
        if self._listening is not None:
            self._listening.cancel()
