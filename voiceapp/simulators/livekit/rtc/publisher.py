"""The peer connection on which a participant sends: its tracks and its data channels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aiortc import RTCDataChannel, RTCRtpReceiver, RTCSessionDescription
from aiortc.sdp import SessionDescription

from voiceapp.simulators.livekit.rtc.peer import Peer

_SENDING = ("sendonly", "sendrecv")


class InvalidOffer(ValueError):
    """The offer is not SDP that can be answered."""


@dataclass(frozen=True, slots=True)
class SentTrack:
    """`cid`: the id that the client gave the track."""

    cid: str
    mid: str
    receiver: RTCRtpReceiver


class Publisher(Peer):
    """`on_data`: gets the label of the channel and each message."""

    def __init__(self, on_data: Callable[[str, bytes], None]) -> None:
        super().__init__()
        self._on_data = on_data
        self.connection.on("datachannel", self._follow)

    async def answer(self, offer: str) -> tuple[str, list[SentTrack]]:
        """The SDP, and what the client sends from now on. Raises InvalidOffer."""
        try:
            parsed = SessionDescription.parse(offer)
            await self.connection.setRemoteDescription(RTCSessionDescription(sdp=offer, type="offer"))
            await self.connection.setLocalDescription(await self.connection.createAnswer())
        except Exception as exc:  # the parser of SDP raises whatever a malformed line leads to
            raise InvalidOffer(f"cannot be answered: {exc or type(exc).__name__}") from exc
        await self.use_early_candidates()
        return str(self.connection.localDescription.sdp), self._sent_tracks(parsed)

    def _sent_tracks(self, offer: SessionDescription) -> list[SentTrack]:
        receivers = {each.mid: each.receiver for each in self.connection.getTransceivers()}
        return [
            SentTrack(media.msid.split()[-1], media.rtp.muxId, receivers[media.rtp.muxId])
            for media in offer.media
            if media.kind == "audio" and media.direction in _SENDING and media.msid and media.rtp.muxId in receivers
        ]

    def _follow(self, channel: RTCDataChannel) -> None:
        def receive(message: str | bytes) -> None:
            self._on_data(channel.label, message.encode() if isinstance(message, str) else message)

        channel.on("message", receive)
