"""The open rooms: created, joined, left, closed by a time-out or by a request. Each change sends a webhook.

As in livekit-server 1.13.5: creating a room that is open changes nothing, track events have only the ids and names of
the room and of the participant, and no event has the reason why a room ended.
"""

from __future__ import annotations

from collections.abc import Callable

from google.protobuf.message import Message
from livekit.protocol.models import DisconnectReason, ParticipantInfo, Room, TrackInfo, TrackType
from livekit.protocol.room import CreateRoomRequest

from voiceapp.simulators.livekit.clock import Clock
from voiceapp.simulators.livekit.faults import LiveKitFaults
from voiceapp.simulators.livekit.ids import new_id
from voiceapp.simulators.livekit.limits import check_participant, check_room
from voiceapp.simulators.livekit.room import DEPENDENTS, OpenRoom, new_participant, new_room
from voiceapp.simulators.livekit.tokens import TokenClaims
from voiceapp.simulators.livekit.twirp import TwirpError
from voiceapp.simulators.livekit.webhooks import WebhookSender


class Rooms:
    """`on_track`, `on_left`, `on_closed` and `on_changed` notify the recorder, the workers and the other participants.

    `on_changed`: a participant came, became active, published or changed something; None: the room itself changed.
    """

    def __init__(self, clock: Clock, webhooks: WebhookSender, faults: LiveKitFaults) -> None:
        self.faults = faults
        self.open: dict[str, OpenRoom] = {}
        self.on_track: list[Callable[[OpenRoom], None]] = []
        self.on_left: list[Callable[[OpenRoom, ParticipantInfo], None]] = []
        self.on_closed: list[Callable[[OpenRoom], None]] = []
        self.on_changed: list[Callable[[OpenRoom, ParticipantInfo | None], None]] = []
        self._clock, self._webhooks = clock, webhooks

    def get(self, name: str) -> OpenRoom:
        """Raises TwirpError: not_found."""
        if name not in self.open:
            raise TwirpError("not_found", "requested room does not exist")
        return self.open[name]

    def create(self, request: CreateRoomRequest, faults: LiveKitFaults) -> tuple[OpenRoom, bool]:
        """Create it unless it is open. Returns whether it is new. A name may be empty. Raises TwirpError."""
        check_room(request)
        room = self.open.get(request.name)
        if room is not None:
            return room, False
        room = OpenRoom(new_room(request.name), self.faults | faults)
        self.open[request.name] = room
        for name in ("empty_timeout", "departure_timeout", "max_participants", "metadata"):
            if getattr(request, name):
                setattr(room.info, name, getattr(request, name))
        self._send_event(room, "room_started")
        self._close_after(room, room.info.empty_timeout)
        return room, True

    def delete(self, name: str) -> None:
        room = self.get(name)
        self._close(room, DisconnectReason.ROOM_DELETED)

    def join(self, room: OpenRoom, claims: TokenClaims, kind: ParticipantInfo.Kind) -> ParticipantInfo:
        """Enter and be active at once. Raises TwirpError as `enter`."""
        participant = self.enter(room, claims, kind)
        self.activate(room, participant)
        return participant

    def enter(self, room: OpenRoom, claims: TokenClaims, kind: ParticipantInfo.Kind) -> ParticipantInfo:
        """A second participant with the same identity removes the first one.

        Raises TwirpError if the room is full, or for an invalid identity or name.
        """
        check_participant(claims)
        is_full = 0 < room.info.max_participants <= len(room.people)
        if kind not in DEPENDENTS and claims.identity not in room.participants and is_full:
            raise TwirpError("resource_exhausted", "room has exceeded its max participants")
        if claims.identity in room.participants:
            self.leave(room, claims.identity, DisconnectReason.DUPLICATE_IDENTITY)
        participant = new_participant(claims, kind)
        room.participants[claims.identity], room.claims[claims.identity] = participant, claims
        room.update_counts()
        if room.people and room.timer:
            room.timer.cancel()
        return participant

    def activate(self, room: OpenRoom, participant: ParticipantInfo) -> None:
        """The participant is connected: others learn of it, and so does the webhook."""
        participant.state = ParticipantInfo.State.ACTIVE
        self._send_event(room, "participant_joined", participant=participant)
        self.change(room, participant)

    def change(self, room: OpenRoom, participant: ParticipantInfo | None) -> None:
        """Notify of a change that was made to this participant, or to the room."""
        if participant is not None:
            participant.version += 1
        for notify in self.on_changed:
            notify(room, participant)

    def leave(self, room: OpenRoom, identity: str, reason: DisconnectReason) -> None:
        """One who was never active has not joined: its connection was aborted. Raises TwirpError: not_found."""
        participant = room.participant(identity)
        has_joined = participant.state == ParticipantInfo.State.ACTIVE
        for track in list(participant.tracks):
            self.unpublish(room, identity, track.sid)
        was_person = participant.kind not in DEPENDENTS
        del room.participants[identity], room.claims[identity]
        room.update_counts()
        participant.state, participant.disconnect_reason = ParticipantInfo.State.DISCONNECTED, reason
        participant.version += 1
        event = "participant_left" if has_joined else "participant_connection_aborted"
        self._send_event(room, event, participant=participant)
        for notify in self.on_left:
            notify(room, participant)
        if was_person and not room.people and room.name in self.open:
            self._close_after(room, room.info.departure_timeout)

    def publish(self, room: OpenRoom, identity: str, source: str) -> TrackInfo:
        """Publish a track of a source that the token allows. Raises TwirpError."""
        participant = room.participant(identity)
        if not room.claims[identity].may_publish(source):
            raise TwirpError("permission_denied", f"the token does not allow to publish {source}")
        is_audio = source in ("microphone", "screen_share_audio")
        track = TrackInfo(
            sid=new_id("TR"),
            type=TrackType.AUDIO if is_audio else TrackType.VIDEO,
            source=source.upper(),
            name=source,
            mime_type="audio/red" if is_audio else "video/VP8",
        )
        self.add_track(room, participant, track)
        return track

    def add_track(self, room: OpenRoom, participant: ParticipantInfo, track: TrackInfo) -> None:
        participant.tracks.append(track)
        participant.is_publisher = True
        room.update_counts()
        self._send_track_event(room, "track_published", participant, track)
        for notify in self.on_track:
            notify(room)
        self.change(room, participant)

    def unpublish(self, room: OpenRoom, identity: str, track_sid: str) -> None:
        participant = room.participant(identity)
        track = next((each for each in participant.tracks if each.sid == track_sid), None)
        if track is None:
            raise TwirpError("not_found", "track is not found")
        gone = TrackInfo()
        gone.CopyFrom(track)
        participant.tracks.remove(track)
        room.update_counts()
        self._send_track_event(room, "track_unpublished", participant, gone)
        self.change(room, participant)

    def _close_after(self, room: OpenRoom, delay_s: int) -> None:
        if room.timer:
            room.timer.cancel()
        room.timer = self._clock.call_later(delay_s, lambda: self._close(room, DisconnectReason.ROOM_CLOSED))

    def _close(self, room: OpenRoom, reason: DisconnectReason) -> None:
        del self.open[room.name]
        if room.timer:
            room.timer.cancel()
        for identity in list(room.participants):
            if identity in room.participants:  # a participant who leaves may remove another one
                self.leave(room, identity, reason)
        for notify in self.on_closed:
            notify(room)
        self._send_event(room, "room_finished")

    def _send_event(self, room: OpenRoom, event: str, **content: Message) -> None:
        self._webhooks.emit(event, key=room.name, faults=room.faults, room=room.info, **content)

    def _send_track_event(self, room: OpenRoom, event: str, participant: ParticipantInfo, track: TrackInfo) -> None:
        """The event has only the ids and names of the room and of the participant."""
        self._webhooks.emit(
            event,
            key=room.name,
            faults=room.faults,
            room=Room(sid=room.info.sid, name=room.name),
            participant=ParticipantInfo(sid=participant.sid, identity=participant.identity),
            track=track,
        )
