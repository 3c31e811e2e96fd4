"""Encoded audio from the one who publishes it to all who subscribe, packet by packet.

aiortc would decode each packet and encode it anew for each subscriber: its receiver's packets are taken before that,
and its sender takes encoded packets as they are.
"""

from __future__ import annotations

import asyncio
from fractions import Fraction
from typing import Any

from aiortc import MediaStreamTrack, RTCRtpReceiver
from aiortc.mediastreams import MediaStreamError
from aiortc.rtp import RtpPacket
from av import Packet

_RTP_TIME = Fraction(1, 48_000)
#: A subscriber that does not keep up misses the oldest: a second of them.
_MAX_PACKETS = 50


class PublishedAudio:
    """`subscribers`: those who get each packet."""

    def __init__(self, track_sid: str) -> None:
        self.track_sid = track_sid
        self.subscribers: set[ForwardedAudio] = set()

    def take_from(self, receiver: RTCRtpReceiver) -> None:
        receiver._handle_rtp_packet = self._forward  # type: ignore[method-assign]  # before it is decoded

    async def _forward(self, packet: RtpPacket, arrival_time_ms: int) -> None:
        if packet.payload:
            for subscriber in self.subscribers:
                subscriber.push(packet)


class ForwardedAudio(MediaStreamTrack):
    """The audio of another participant as a track to send. `stop()` ends it."""

    kind = "audio"

    def __init__(self, source: PublishedAudio) -> None:
        super().__init__()
        self.source = source
        self._packets: asyncio.Queue[RtpPacket | None] = asyncio.Queue(_MAX_PACKETS)
        source.subscribers.add(self)

    def push(self, packet: RtpPacket | None) -> None:
        if self._packets.full():
            self._packets.get_nowait()
        self._packets.put_nowait(packet)

    async def recv(self) -> Packet[Any]:
        received = await self._packets.get()
        if received is None:
            raise MediaStreamError
        packet = Packet(received.payload)
        packet.pts, packet.time_base = received.timestamp, _RTP_TIME
        return packet

    def stop(self) -> None:
        super().stop()
        self.source.subscribers.discard(self)
        self.push(None)
