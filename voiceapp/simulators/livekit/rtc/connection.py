"""One participant at /rtc: its socket, its two peer connections, what it publishes."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from livekit.protocol.models import DisconnectReason, ParticipantInfo, TrackInfo, TrackSource, TrackType
from livekit.protocol.rtc import (
    AddTrackRequest,
    LeaveRequest,
    MuteTrackRequest,
    ParticipantUpdate,
    Pong,
    RequestResponse,
    SessionDescription,
    SignalRequest,
    SignalResponse,
    SignalTarget,
    TrackPublishedResponse,
    TrackUnpublishedResponse,
    TrickleRequest,
    UpdateParticipantMetadata,
    UpdateSubscription,
)

from voiceapp.simulators.livekit.ids import new_id
from voiceapp.simulators.livekit.limits import MAX_METADATA_BYTES, MAX_NAME_BYTES
from voiceapp.simulators.livekit.message_socket import MessageSocket
from voiceapp.simulators.livekit.room import OpenRoom
from voiceapp.simulators.livekit.rooms import Rooms
from voiceapp.simulators.livekit.rtc.forwarding import PublishedAudio
from voiceapp.simulators.livekit.rtc.publisher import InvalidOffer, Publisher, SentTrack
from voiceapp.simulators.livekit.rtc.subscriber import Subscriber

_LEAVE_REASONS = (DisconnectReason.USER_UNAVAILABLE, DisconnectReason.USER_REJECTED, DisconnectReason.AGENT_ERROR)
_log = logging.getLogger(__name__)


class Connection:
    """`audio`: what it publishes with media, by the sid of the track. `unwanted` and `wanted`: tracks by request.

    `on_data` gets the label of the channel and the bytes; `on_subscription` is called when it wants other tracks,
    `on_bound` with the sid of each track that it now receives, `on_state` with the state of what it receives on.
    """

    def __init__(
        self,
        socket: MessageSocket[SignalRequest],
        rooms: Rooms,
        room: OpenRoom,
        participant: ParticipantInfo,
        *,
        auto_subscribe: bool,
        on_data: Callable[[Connection, str, bytes], None],
        on_subscription: Callable[[Connection], None],
        on_bound: Callable[[Connection, str], None],
        on_state: Callable[[Connection, str], None],
    ) -> None:
        self.room, self.participant, self.auto_subscribe = room, participant, auto_subscribe
        self.audio: dict[str, PublishedAudio] = {}
        self.wanted: set[str] = set()
        self.unwanted: set[str] = set()
        self._socket, self._rooms = socket, rooms
        self._on_subscription = on_subscription
        self._announced: dict[str, TrackInfo] = {}
        self._sent: dict[str, SentTrack] = {}
        self.publisher = Publisher(lambda label, data: on_data(self, label, data))
        self.subscriber = Subscriber(
            self._send_offer, lambda state: on_state(self, state), lambda track_sid: on_bound(self, track_sid)
        )

    @property
    def is_active(self) -> bool:
        return self.participant.state == ParticipantInfo.State.ACTIVE

    def send(self, message: SignalResponse) -> None:
        self._socket.send(message)

    def end(self, reason: DisconnectReason) -> None:
        """Tell the client that its session is over, and why."""
        self.send(SignalResponse(leave=LeaveRequest(reason=reason, action=LeaveRequest.Action.DISCONNECT)))
        self._socket.close()

    async def close(self) -> None:
        await self.subscriber.close()
        await self.publisher.close()

    def wants(self, track_sid: str) -> bool:
        """Nothing before it is active: aiortc needs the data channels alone in the first offer."""
        if not self.is_active or not self.participant.permission.can_subscribe:
            return False
        return track_sid in self.wanted or (self.auto_subscribe and track_sid not in self.unwanted)

    def publish_sent(self) -> None:
        """The tracks that it sends and has announced; once it is active."""
        for cid, sent in self._sent.items() if self.is_active else ():
            track = self._announced.get(cid)
            if track is not None and track.sid not in self.audio:
                audio = self.audio[track.sid] = PublishedAudio(track.sid)
                audio.take_from(sent.receiver)
                track.mid = sent.mid
                self._rooms.add_track(self.room, self.participant, track)

    async def process(self, signal: SignalRequest) -> None:
        match signal.WhichOneof("message"):
            case "offer":
                await self._answer(signal.offer)
            case "answer":
                self.subscriber.answered(signal.answer.sdp)
            case "trickle":
                await self._add_candidate(signal.trickle)
            case "add_track":
                self._announce(signal.add_track)
            case "mute":
                self._mute(signal.mute)
            case "subscription":
                self._subscribe(signal.subscription)
            case "update_metadata":
                self._update(signal.update_metadata)
            case "leave":
                given = signal.leave.reason
                self.leave(given if given in _LEAVE_REASONS else DisconnectReason.CLIENT_INITIATED)
            case "ping":
                self.send(SignalResponse(pong=_now_ms()))
            case "ping_req":
                pong = Pong(last_ping_timestamp=signal.ping_req.timestamp, timestamp=_now_ms())
                self.send(SignalResponse(pong_resp=pong))

    def leave(self, reason: DisconnectReason) -> None:
        """Unless it has left, or another one has taken its identity."""
        if self.room.participants.get(self.participant.identity) is self.participant:
            self._rooms.leave(self.room, self.participant.identity, reason)

    def _send_offer(self, sdp: str, tracks: dict[str, str]) -> None:
        self.send(SignalResponse(offer=SessionDescription(type="offer", sdp=sdp, mid_to_track_id=tracks)))

    async def _answer(self, offer: SessionDescription) -> None:
        try:
            sdp, sent = await self.publisher.answer(offer.sdp)
        except InvalidOffer as exc:
            _log.warning("an offer %s", exc)
            self.leave(DisconnectReason.STATE_MISMATCH)
            return
        self.send(SignalResponse(answer=SessionDescription(type="answer", sdp=sdp, id=offer.id)))
        self._sent = {each.cid: each for each in sent}
        self._unpublish_ended()
        self.publish_sent()

    def _unpublish_ended(self) -> None:
        for cid, track in list(self._announced.items()):
            if track.sid in self.audio and cid not in self._sent:
                del self.audio[track.sid], self._announced[cid]
                self._rooms.unpublish(self.room, self.participant.identity, track.sid)
                self.send(SignalResponse(track_unpublished=TrackUnpublishedResponse(track_sid=track.sid)))

    async def _add_candidate(self, trickle: TrickleRequest) -> None:
        peer = self.publisher if trickle.target == SignalTarget.PUBLISHER else self.subscriber
        await peer.add_candidate(trickle.candidateInit)

    def _announce(self, request: AddTrackRequest) -> None:
        """The track is published when the client sends it. Video is not simulated."""
        source = _source_name(request)
        if request.type != TrackType.AUDIO or not self.room.claims[self.participant.identity].may_publish(source):
            is_audio = request.type == TrackType.AUDIO
            reason = RequestResponse.Reason.NOT_ALLOWED if is_audio else RequestResponse.Reason.UNSUPPORTED_TYPE
            self.send(SignalResponse(request_response=RequestResponse(reason=reason, add_track=request)))
            return
        track = TrackInfo(
            sid=new_id("TR"), type=request.type, source=request.source, name=request.name, muted=request.muted,
            stereo=request.stereo, disable_dtx=request.disable_dtx, disable_red=True, stream=request.stream,
            mime_type="audio/opus", audio_features=request.audio_features,
        )  # fmt: skip
        self._announced[request.cid] = track
        self.send(SignalResponse(track_published=TrackPublishedResponse(cid=request.cid, track=track)))
        self.publish_sent()

    def _mute(self, request: MuteTrackRequest) -> None:
        for track in [*self._announced.values(), *self.participant.tracks]:
            if track.sid == request.sid and track.muted is not request.muted:
                track.muted = request.muted
                if track.sid in self.audio:
                    self._rooms.change(self.room, self.participant)

    def _subscribe(self, request: UpdateSubscription) -> None:
        sids = {*request.track_sids, *(sid for each in request.participant_tracks for sid in each.track_sids)}
        wanted, unwanted = (self.wanted, self.unwanted) if request.subscribe else (self.unwanted, self.wanted)
        wanted |= sids
        unwanted -= sids
        self._on_subscription(self)

    def _update(self, request: UpdateParticipantMetadata) -> None:
        """An attribute without a value is removed. The client itself learns of the change, too."""
        response = RequestResponse(request_id=request.request_id, update_metadata=request)
        info = self.participant
        if not info.permission.can_update_metadata:
            response.reason = RequestResponse.Reason.NOT_ALLOWED
            response.message = "does not have permission to update own metadata"
        elif (message := _exceeded(request)) is not None:
            response.reason, response.message = RequestResponse.Reason.LIMIT_EXCEEDED, message
        else:
            info.name, info.metadata = request.name or info.name, request.metadata or info.metadata
            for name, value in request.attributes.items():
                if value:
                    info.attributes[name] = value
                else:
                    info.attributes.pop(name, None)
            self._rooms.change(self.room, info)
            self.send(SignalResponse(update=ParticipantUpdate(participants=[info])))
        self.send(SignalResponse(request_response=response))


def _source_name(request: AddTrackRequest) -> str:
    return TrackSource.Name(request.source).lower() if request.source in TrackSource.values() else ""


def _exceeded(request: UpdateParticipantMetadata) -> str | None:
    if len(request.name.encode()) > MAX_NAME_BYTES:
        return "exceeds name length limit"
    if len(request.metadata.encode()) > MAX_METADATA_BYTES:
        return "exceeds metadata size limit"
    size_bytes = sum(len(name.encode()) + len(value.encode()) for name, value in request.attributes.items())
    return "exceeds attributes size limit" if size_bytes > MAX_METADATA_BYTES else None


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
