"""Rooms and who is in them: made, joined, left, closed by a time-out or by request. Each step sends a webhook.

As livekit-server 1.13.5 does it: an open room that is made again is returned unchanged, track events carry only the
ids and names of the room and of the participant, and no event says why a room ended.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from google.protobuf.message import Message
from livekit.protocol.agent_dispatch import AgentDispatch
from livekit.protocol.models import (
    Codec,
    DisconnectReason,
    ParticipantInfo,
    ParticipantPermission,
    Room,
    TrackInfo,
    TrackType,
)
from livekit.protocol.room import CreateRoomRequest

from voiceapp.simulators.livekit.clock import Clock, Timer
from voiceapp.simulators.livekit.faults import Faults
from voiceapp.simulators.livekit.identifiers import new_id
from voiceapp.simulators.livekit.tokens import Claims
from voiceapp.simulators.livekit.twirp import Refusal
from voiceapp.simulators.livekit.webhooks import Webhooks

LONGEST_NAME = 256
LONGEST_METADATA = 64_000
_CODECS = ("audio/PCMU", "audio/PCMA", "audio/opus", "audio/red", "video/VP8", "video/H264", "video/VP9", "video/AV1")
_EMPTY_TIMEOUT_S, _DEPARTURE_TIMEOUT_S = 300, 20
_DEPENDENTS = (ParticipantInfo.Kind.AGENT, ParticipantInfo.Kind.EGRESS)


@dataclass(slots=True)
class OpenRoom:
    info: Room
    faults: Faults
    participants: dict[str, ParticipantInfo] = field(default_factory=dict)
    claims: dict[str, Claims] = field(default_factory=dict)
    dispatches: dict[str, AgentDispatch] = field(default_factory=dict)
    timer: Timer | None = None

    @property
    def name(self) -> str:
        return self.info.name

    @property
    def people(self) -> list[ParticipantInfo]:
        """Those who keep a room open: neither agents nor recorders."""
        return [each for each in self.participants.values() if each.kind not in _DEPENDENTS]

    @property
    def has_tracks(self) -> bool:
        return any(each.tracks for each in self.participants.values())

    def count(self) -> None:
        self.info.num_participants = len(self.people)
        self.info.num_publishers = sum(1 for each in self.participants.values() if each.tracks)


class Rooms:
    """`on_track`, `on_left` and `on_closed` tell the recorder and the agents what happened."""

    def __init__(self, clock: Clock, webhooks: Webhooks, faults: Faults) -> None:
        self.faults = faults
        self.open: dict[str, OpenRoom] = {}
        self.on_track: list[Callable[[OpenRoom], None]] = []
        self.on_left: list[Callable[[OpenRoom, str], None]] = []
        self.on_closed: list[Callable[[OpenRoom], None]] = []
        self._clock, self._webhooks = clock, webhooks

    def get(self, name: str) -> OpenRoom:
        """Raises Refusal: not_found."""
        if name not in self.open:
            raise Refusal("not_found", "requested room does not exist")
        return self.open[name]

    def create(self, request: CreateRoomRequest, faults: Faults) -> tuple[OpenRoom, bool]:
        """Make it, unless it is open; whether it is new. A room may have an empty name. Raises Refusal."""
        _check(request)
        room = self.open.get(request.name)
        if room is not None:
            return room, False
        room = OpenRoom(_new_room(request.name), self.faults | faults)
        self.open[request.name] = room
        for name in ("empty_timeout", "departure_timeout", "max_participants", "metadata"):
            if getattr(request, name):
                setattr(room.info, name, getattr(request, name))
        self._tell(room, "room_started")
        self._close_after(room, room.info.empty_timeout)
        return room, True

    def delete(self, name: str) -> None:
        room = self.get(name)
        self._close(room, DisconnectReason.ROOM_DELETED)

    def join(self, room: OpenRoom, claims: Claims, kind: ParticipantInfo.Kind) -> ParticipantInfo:
        """A second of the same identity puts the first one out.

        Raises Refusal if the room is full, or for an identity or a name that the server does not take.
        """
        _check_participant(claims)
        is_full = 0 < room.info.max_participants <= len(room.people)
        if kind not in _DEPENDENTS and claims.identity not in room.participants and is_full:
            raise Refusal("resource_exhausted", "room has exceeded its max participants")
        if claims.identity in room.participants:
            self.leave(room, claims.identity, DisconnectReason.DUPLICATE_IDENTITY)
        now_ms = time.time_ns() // 1_000_000
        participant = ParticipantInfo(
            sid=new_id("PA"),
            identity=claims.identity,
            name=claims.name,
            kind=kind,
            state=ParticipantInfo.State.ACTIVE,
            metadata=claims.metadata,
            attributes=dict(claims.attributes),
            joined_at=now_ms // 1000,
            joined_at_ms=now_ms,
            permission=_permission(claims),
        )
        room.participants[claims.identity], room.claims[claims.identity] = participant, claims
        room.count()
        if room.people and room.timer:
            room.timer.cancel()
        self._tell(room, "participant_joined", participant=participant)
        return participant

    def leave(self, room: OpenRoom, identity: str, reason: DisconnectReason) -> None:
        """Raises Refusal: not_found."""
        participant = _participant(room, identity)
        for track in list(participant.tracks):
            self.unpublish(room, identity, track.sid)
        was_person = participant.kind not in _DEPENDENTS
        del room.participants[identity], room.claims[identity]
        room.count()
        participant.state, participant.disconnect_reason = ParticipantInfo.State.DISCONNECTED, reason
        self._tell(room, "participant_left", participant=participant)
        for tell in self.on_left:
            tell(room, identity)
        if was_person and not room.people and room.name in self.open:
            self._close_after(room, room.info.departure_timeout)

    def publish(self, room: OpenRoom, identity: str, source: str) -> TrackInfo:
        """A track from the microphone, camera, …: as the token allows. Raises Refusal."""
        participant = _participant(room, identity)
        if not room.claims[identity].may_publish(source):
            raise Refusal("permission_denied", f"the token does not allow to publish {source}")
        is_sound = source in ("microphone", "screen_share_audio")
        track = TrackInfo(
            sid=new_id("TR"),
            type=TrackType.AUDIO if is_sound else TrackType.VIDEO,
            source=source.upper(),
            name=source,
            mime_type="audio/red" if is_sound else "video/VP8",
        )
        participant.tracks.append(track)
        participant.is_publisher = True
        room.count()
        self._tell_of_track(room, "track_published", participant, track)
        for tell in self.on_track:
            tell(room)
        return track

    def unpublish(self, room: OpenRoom, identity: str, track_sid: str) -> None:
        participant = _participant(room, identity)
        track = next((each for each in participant.tracks if each.sid == track_sid), None)
        if track is None:
            raise Refusal("not_found", "track is not found")
        gone = TrackInfo()
        gone.CopyFrom(track)
        participant.tracks.remove(track)
        room.count()
        self._tell_of_track(room, "track_unpublished", participant, gone)

    def _close_after(self, room: OpenRoom, delay_s: int) -> None:
        if room.timer:
            room.timer.cancel()
        room.timer = self._clock.call_later(delay_s, lambda: self._close(room, DisconnectReason.ROOM_CLOSED))

    def _close(self, room: OpenRoom, put_out_as: DisconnectReason) -> None:
        del self.open[room.name]
        if room.timer:
            room.timer.cancel()
        for identity in list(room.participants):
            if identity in room.participants:  # one who leaves may take another along
                self.leave(room, identity, put_out_as)
        for tell in self.on_closed:
            tell(room)
        self._tell(room, "room_finished")

    def _tell(self, room: OpenRoom, event: str, **about: Message) -> None:
        self._webhooks.emit(event, key=room.name, faults=room.faults, room=room.info, **about)

    def _tell_of_track(self, room: OpenRoom, event: str, participant: ParticipantInfo, track: TrackInfo) -> None:
        """With the ids and names of the room and of the participant only."""
        self._webhooks.emit(
            event,
            key=room.name,
            faults=room.faults,
            room=Room(sid=room.info.sid, name=room.name),
            participant=ParticipantInfo(sid=participant.sid, identity=participant.identity),
            track=track,
        )


def _check(request: CreateRoomRequest) -> None:
    if len(request.name.encode()) > LONGEST_NAME:
        raise Refusal("invalid_argument", f"room name length exceeds limits: max length {LONGEST_NAME}")
    if len(request.metadata.encode()) > LONGEST_METADATA:
        raise Refusal("invalid_argument", "metadata size exceeds limits")


def check_lengths(claims: Claims) -> None:
    """Of what a token opens. Raises Refusal."""
    if len(claims.identity.encode()) > LONGEST_NAME:
        raise Refusal("invalid_argument", f"participant identity length exceeds limits: max length {LONGEST_NAME}")
    if len(claims.room.encode()) > LONGEST_NAME:
        raise Refusal("invalid_argument", f"room name length exceeds limits: max length {LONGEST_NAME}")


def _check_participant(claims: Claims) -> None:
    if not claims.identity:
        raise Refusal("invalid_argument", "identity cannot be empty")
    check_lengths(claims)
    if len(claims.name.encode()) > LONGEST_NAME:
        raise Refusal("invalid_argument", f"participant name length exceeds limits: max length {LONGEST_NAME}")
    if len(claims.metadata.encode()) > LONGEST_METADATA:
        raise Refusal("invalid_argument", f"metadata size exceeds limits: max size {LONGEST_METADATA}")
    if sum(len(name.encode()) + len(value.encode()) for name, value in claims.attributes.items()) > LONGEST_METADATA:
        raise Refusal("invalid_argument", f"attributes size exceeds limits: max size {LONGEST_METADATA}")


def _new_room(name: str) -> Room:
    now_ms = time.time_ns() // 1_000_000
    return Room(
        sid=new_id("RM"),
        name=name,
        creation_time=now_ms // 1000,
        creation_time_ms=now_ms,
        empty_timeout=_EMPTY_TIMEOUT_S,
        departure_timeout=_DEPARTURE_TIMEOUT_S,
        turn_password=secrets.token_urlsafe(32),
        enabled_codecs=[Codec(mime=mime) for mime in _CODECS],
    )


def _participant(room: OpenRoom, identity: str) -> ParticipantInfo:
    if identity not in room.participants:
        raise Refusal("not_found", "participant does not exist")
    return room.participants[identity]


def _permission(claims: Claims) -> ParticipantPermission:
    sources = claims.video.get("canPublishSources")
    named = sources if isinstance(sources, list) else []
    return ParticipantPermission(
        can_subscribe=claims.video.get("canSubscribe") is not False,
        can_publish=claims.video.get("canPublish") is not False,
        can_publish_data=claims.video.get("canPublishData") is not False,
        can_publish_sources=[str(each).upper() for each in named],
        can_update_metadata=claims.video.get("canUpdateOwnMetadata") is True,
        agent=claims.video.get("agent") is True,
    )
