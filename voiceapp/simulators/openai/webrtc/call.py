"""One call: a peer connection, the session behind it, and who follows its events."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from typing import Any, Protocol

from aiortc import MediaStreamTrack, RTCConfiguration, RTCDataChannel, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame, AudioResampler

from voiceapp.simulators.openai.event_sender import EventSender
from voiceapp.simulators.openai.faults import OpenAIFaults
from voiceapp.simulators.openai.ids import new_id
from voiceapp.simulators.openai.session import RealtimeSession
from voiceapp.simulators.openai.webrtc.playout import RATE, Playout

_CHANNEL = "oai-events"
_GONE = frozenset({"failed", "closed"})


class InvalidOffer(ValueError):
    """The offer is not SDP that can be answered."""


class SessionFactory(Protocol):
    def __call__(self, sender: EventSender, playout: Playout) -> RealtimeSession: ...


class ChannelSender(EventSender):
    """To the data channel of the caller."""

    def __init__(self, channel: RTCDataChannel, faults: OpenAIFaults) -> None:
        super().__init__(faults)
        self._channel = channel

    def send_raw(self, frame: str) -> None:
        if self._channel.readyState == "open":
            self._channel.send(frame)

    def close(self, code: int, reason: str) -> None:
        self._channel.close()


class CallSender(EventSender):
    """To all who follow the call. Audio goes to the track, and is in no event."""

    def __init__(self, call: WebRTCCall, faults: OpenAIFaults) -> None:
        super().__init__(faults)
        self._call, self._faults = call, faults
        self._sent = 0

    def send(self, kind: str, /, **fields: Any) -> None:
        playout = self._call.playout
        if kind == "response.output_audio.delta":
            playout.append(fields["response_id"], fields["item_id"], base64.b64decode(fields["delta"]))
            return
        if kind == "response.created":
            playout.begin(fields["response"]["id"])
        super().send(kind, **fields)
        if kind == "response.done":
            playout.end(fields["response"]["id"])

    def send_raw(self, frame: str) -> None:
        if "stall" in self._faults and self._sent >= self._faults.number("stall"):
            return
        for follower in self._call.followers:
            follower.send_raw(frame)
        self._sent += 1
        if "drop_after" in self._faults and self._sent >= self._faults.number("drop_after"):
            self.close(1006, "")

    def close(self, code: int, reason: str) -> None:
        self._call.close_soon(code, reason)


class WebRTCCall:
    """`followers`: the data channel of the caller, and side channels. `closed` is set at the end."""

    def __init__(self, make_session: SessionFactory, faults: OpenAIFaults) -> None:
        self.id = new_id("rtc")
        self.closed = asyncio.Event()
        self.followers: set[EventSender] = set()
        self._faults = faults
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._peer.on("datachannel", self._on_channel)
        self._peer.on("track", self._on_track)
        self._peer.on("connectionstatechange", self._on_state)
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing: asyncio.Task[None] | None = None
        sender = CallSender(self, faults)
        self.playout = Playout(
            lambda kind, response_id: sender.send(f"output_audio_buffer.{kind}", response_id=response_id)
        )
        self.session = make_session(sender, self.playout)

    async def answer(self, offer: str) -> str:
        """The answer to an SDP offer. Raises InvalidOffer."""
        try:
            await self._peer.setRemoteDescription(RTCSessionDescription(sdp=offer, type="offer"))
            self._peer.addTrack(self.playout)
            await self._peer.setLocalDescription(await self._peer.createAnswer())
        except Exception as exc:  # the parser of SDP raises whatever a malformed line leads to
            await self._peer.close()
            raise InvalidOffer(f"The SDP offer cannot be answered: {exc or type(exc).__name__}.") from exc
        self.session.start()
        return str(self._peer.localDescription.sdp)

    def follow(self, follower: EventSender) -> None:
        """It learns what the session is, then every event."""
        if "stall" not in self._faults or self._faults.number("stall") > 0:
            self.session.describe(follower)
        self.followers.add(follower)

    def close_soon(self, code: int, reason: str) -> None:
        """Hang up; who follows is closed with this code."""
        if self._closing is None:
            self._closing = asyncio.get_running_loop().create_task(self._close(code, reason))

    async def aclose(self, code: int = 1000, reason: str = "") -> None:
        self.close_soon(code, reason)
        await self.closed.wait()

    async def _close(self, code: int, reason: str) -> None:
        await self.session.aclose()
        for follower in self.followers:
            follower.close(code, reason)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._peer.close()
        self.closed.set()

    def _on_state(self) -> None:
        if self._peer.connectionState in _GONE:
            self.close_soon(1000, "The call has ended.")

    def _on_channel(self, channel: RTCDataChannel) -> None:
        if channel.label == _CHANNEL:
            channel.on("message", self._on_message)
            self.follow(ChannelSender(channel, self._faults))

    def _on_message(self, message: str | bytes) -> None:
        self.session.receive(message if isinstance(message, str) else "")

    def _on_track(self, track: MediaStreamTrack) -> None:
        if track.kind == "audio":
            task = asyncio.get_running_loop().create_task(self._hear(track))
            self._tasks.add(task)

    async def _hear(self, track: MediaStreamTrack) -> None:
        resampler = AudioResampler(format="s16", layout="mono", rate=RATE)
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                assert isinstance(frame, AudioFrame)
                for each in resampler.resample(frame):
                    self.session.append_audio(bytes(each.planes[0])[: each.samples * 2])
