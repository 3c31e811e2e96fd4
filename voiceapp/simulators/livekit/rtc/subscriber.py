"""The peer connection on which a participant receives: the others' tracks, and two data channels."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from aiortc import RTCSessionDescription
from aiortc.rtcrtpparameters import RTCRtpCodecCapability

from voiceapp.simulators.livekit.rtc.forwarding import ForwardedAudio, PublishedAudio
from voiceapp.simulators.livekit.rtc.peer import Peer

_ANSWER_WITHIN_S = 15.0
_OPUS = RTCRtpCodecCapability(mimeType="audio/opus", clockRate=48_000, channels=2)
RELIABLE, LOSSY = "_reliable", "_lossy"
_log = logging.getLogger(__name__)


class Subscriber(Peer):
    """`send_offer`: gets the SDP, with the track of each media section; the answer arrives at `answered`.

    `on_state`: gets the state of the connection. `on_bound`: gets the sid of each track that the answer has accepted.
    """

    def __init__(
        self,
        send_offer: Callable[[str, dict[str, str]], None],
        on_state: Callable[[str], None],
        on_bound: Callable[[str], None],
    ) -> None:
        super().__init__()
        self._send_offer, self._on_state, self._on_bound = send_offer, on_state, on_bound
        self.connection.on("connectionstatechange", lambda: on_state(self.connection.connectionState))
        self._channels = {
            RELIABLE: self.connection.createDataChannel(RELIABLE),
            LOSSY: self.connection.createDataChannel(LOSSY, ordered=False, maxRetransmits=0),
        }
        self._unsent: list[bytes] = []
        self._channels[RELIABLE].on("open", self._send_waiting)
        self._tracks: dict[str, ForwardedAudio] = {}
        self._bound: set[str] = set()
        self._is_wanted = asyncio.Event()
        self._answer: asyncio.Future[str] | None = None
        self._negotiation = asyncio.create_task(self._negotiate(), name="negotiation with a subscriber")

    @property
    def track_sids(self) -> set[str]:
        return set(self._tracks)

    def add(self, audio: PublishedAudio, publisher_sid: str) -> None:
        track = self._tracks[audio.track_sid] = ForwardedAudio(audio)
        transceiver = self.connection.addTransceiver(track, "sendonly")
        transceiver.setCodecPreferences([_OPUS])
        transceiver.sender._stream_id = f"{publisher_sid}|{audio.track_sid}"
        transceiver.sender._track_id = audio.track_sid
        self.negotiate()

    def remove(self, track_sid: str) -> None:
        track = self._tracks.pop(track_sid, None)
        if track is None:
            return
        track.stop()
        for transceiver in self.connection.getTransceivers():
            if transceiver.sender.track is track:
                transceiver.direction = "inactive"
        self.negotiate()

    def negotiate(self) -> None:
        """What was added meanwhile goes into one offer."""
        self._is_wanted.set()

    def answered(self, sdp: str) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(sdp)

    def send_data(self, label: str, data: bytes) -> None:
        """What is reliable waits until the channel is open."""
        channel = self._channels[label]
        if channel.readyState == "open":
            channel.send(data)
        elif channel.readyState == "connecting" and label == RELIABLE:
            self._unsent.append(data)

    def _send_waiting(self) -> None:
        while self._unsent:
            self._channels[RELIABLE].send(self._unsent.pop(0))

    async def close(self) -> None:
        self._negotiation.cancel()
        for track in self._tracks.values():
            track.stop()
        await asyncio.gather(self._negotiation, return_exceptions=True)
        await super().close()

    async def _negotiate(self) -> None:
        """One offer at a time, outside of the loop that reads signals."""
        try:
            while True:
                await self._is_wanted.wait()
                self._is_wanted.clear()
                await self._offer()
        except Exception:  # noqa: BLE001  # an answer that does not come, or cannot be used in any of many ways
            _log.exception("the negotiation failed")
            self._on_state("failed")

    async def _offer(self) -> None:
        self._answer = asyncio.get_running_loop().create_future()
        await self.connection.setLocalDescription(await self.connection.createOffer())
        tracks = {str(each.mid): each.sender._track_id for each in self.connection.getTransceivers()}
        self._send_offer(self.connection.localDescription.sdp, tracks)
        answer = await asyncio.wait_for(self._answer, _ANSWER_WITHIN_S)
        await self.connection.setRemoteDescription(RTCSessionDescription(sdp=answer, type="answer"))
        await self.use_early_candidates()
        for sid in self._tracks.keys() & set(tracks.values()) - self._bound:
            self._bound.add(sid)
            self._on_bound(sid)
