"""All participants at /rtc: who receives whose audio and data, who learns of whom, and how sessions end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Iterator
from functools import partial

from aiohttp import web
from google.protobuf.message import DecodeError
from livekit.protocol.models import DataPacket, DisconnectReason, ParticipantInfo, ServerInfo
from livekit.protocol.rtc import (
    ICEServer,
    JoinResponse,
    LeaveRequest,
    ParticipantUpdate,
    RoomUpdate,
    SignalRequest,
    SignalResponse,
    TrackSubscribed,
)

from voiceapp.simulators.livekit.clock import Clock
from voiceapp.simulators.livekit.message_socket import MessageSocket
from voiceapp.simulators.livekit.room import OpenRoom
from voiceapp.simulators.livekit.rooms import Rooms
from voiceapp.simulators.livekit.rtc.connection import Connection
from voiceapp.simulators.livekit.rtc.forwarding import PublishedAudio
from voiceapp.simulators.livekit.rtc.subscriber import LOSSY, RELIABLE

_KINDS = {RELIABLE: DataPacket.Kind.RELIABLE, LOSSY: DataPacket.Kind.LOSSY}
#: From the end of the socket, or of the connection, until the participant has left.
_SOCKET_LOST_S, _MEDIA_LOST_S = 20, 5
_log = logging.getLogger(__name__)
_PING_EVERY_S, _PING_WITHIN_S = 5, 15
# Without a server of ours a client would use one of Google's.
_STUN = ICEServer(urls=["stun:127.0.0.1:3478"])


class Connections:
    def __init__(self, rooms: Rooms, clock: Clock, server: ServerInfo) -> None:
        self._rooms, self._clock, self._server = rooms, clock, server
        self._connections: dict[str, Connection] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        rooms.on_changed.append(self._changed)
        rooms.on_left.append(self._left)

    async def close(self) -> None:
        for connection in list(self._connections.values()):
            connection.leave(DisconnectReason.SERVER_SHUTDOWN)
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def serve(self, request: web.Request, room: OpenRoom, participant: ParticipantInfo) -> web.StreamResponse:
        """Until the socket closes. The participant has entered the room."""
        async with MessageSocket(request, SignalRequest) as socket:
            connection = Connection(
                socket, self._rooms, room, participant, auto_subscribe=request.query.get("auto_subscribe") != "0",
                on_data=self._forward_data, on_subscription=self._match, on_bound=self._bound, on_state=self._state,
            )  # fmt: skip
            self._connections[participant.sid] = connection
            self._greet(connection)
            try:
                async for signal in socket:
                    await connection.process(signal)
            except Exception:  # noqa: BLE001  # whatever a client's signal leads to ends its session alone
                _log.exception("a signal of %s", participant.identity)
                connection.leave(DisconnectReason.STATE_MISMATCH)
            finally:
                self._socket_closed(connection)
        return socket.response

    async def refuse_resumption(self, request: web.Request) -> web.StreamResponse:
        """A client that wants its session back has to join anew."""
        async with MessageSocket(request, SignalRequest) as socket:
            leave = LeaveRequest(
                can_reconnect=True, reason=DisconnectReason.STATE_MISMATCH, action=LeaveRequest.Action.RECONNECT
            )
            socket.send(SignalResponse(leave=leave))
        return socket.response

    def _greet(self, connection: Connection) -> None:
        participant = connection.participant
        others = [each for each in connection.room.participants.values() if each is not participant]
        join = JoinResponse(
            room=connection.room.info,
            participant=participant,
            other_participants=[each for each in others if not each.permission.hidden],
            server_version=self._server.version,
            server_info=self._server,
            ice_servers=[_STUN],
            subscriber_primary=True,
            ping_interval=_PING_EVERY_S,
            ping_timeout=_PING_WITHIN_S,
            fast_publish=participant.permission.can_publish,
        )
        connection.send(SignalResponse(join=join))
        participant.state = ParticipantInfo.State.JOINED
        self._rooms.change(connection.room, participant)
        connection.subscriber.negotiate()

    def _in_room(self, room: OpenRoom) -> Iterator[Connection]:
        return (each for each in list(self._connections.values()) if each.room is room)

    def _changed(self, room: OpenRoom, participant: ParticipantInfo | None) -> None:
        if participant is None:
            for connection in self._in_room(room):
                connection.send(SignalResponse(room_update=RoomUpdate(room=room.info)))
            return
        self._announce(room, participant)
        for connection in self._in_room(room):
            self._match(connection)

    def _announce(self, room: OpenRoom, participant: ParticipantInfo) -> None:
        for connection in self._in_room(room):
            if connection.participant is not participant and not participant.permission.hidden:
                connection.send(SignalResponse(update=ParticipantUpdate(participants=[participant])))

    def _match(self, connection: Connection) -> None:
        """Subscribe to what it wants and does not have, and the other way round."""
        there = {sid: (audio, publisher) for audio, publisher, sid in self._audio_for(connection)}
        for sid in connection.subscriber.track_sids - there.keys():
            connection.subscriber.remove(sid)
        for sid in there.keys() - connection.subscriber.track_sids:
            audio, publisher = there[sid]
            connection.subscriber.add(audio, publisher.participant.sid)

    def _audio_for(self, connection: Connection) -> Iterator[tuple[PublishedAudio, Connection, str]]:
        for publisher in self._in_room(connection.room):
            for sid, audio in publisher.audio.items() if publisher is not connection else ():
                if connection.wants(sid):
                    yield audio, publisher, sid

    def _bound(self, connection: Connection, track_sid: str) -> None:
        """The publisher learns that somebody hears it, unless they are hidden: agents wait for that."""
        if connection.participant.permission.hidden:
            return
        faults, message = connection.room.faults, SignalResponse(track_subscribed=TrackSubscribed(track_sid=track_sid))
        for publisher in self._in_room(connection.room):
            if track_sid in publisher.audio:
                late_s = faults.number("track_late") if "track_late" in faults else 0
                self._clock.call_later(late_s, partial(publisher.send, message))

    def _state(self, connection: Connection, state: str) -> None:
        if state == "connected" and connection.participant.state == ParticipantInfo.State.JOINED:
            self._rooms.activate(connection.room, connection.participant)
            connection.publish_sent()
        elif state in ("failed", "closed"):
            self._clock.call_later(_MEDIA_LOST_S, lambda: connection.leave(DisconnectReason.CONNECTION_TIMEOUT))

    def _socket_closed(self, connection: Connection) -> None:
        if not connection.is_active:
            connection.leave(DisconnectReason.SIGNAL_CLOSE)
        else:
            self._clock.call_later(_SOCKET_LOST_S, lambda: connection.leave(DisconnectReason.CONNECTION_TIMEOUT))

    def _left(self, room: OpenRoom, participant: ParticipantInfo) -> None:
        connection = self._connections.pop(participant.sid, None)
        if connection is not None:
            connection.end(participant.disconnect_reason)
            self._start(connection.close())
        self._announce(room, participant)
        for other in self._in_room(room):
            self._match(other)

    def _forward_data(self, sender: Connection, label: str, data: bytes) -> None:
        kind = _KINDS.get(label)
        if kind is None or not sender.participant.permission.can_publish_data:
            return
        with contextlib.suppress(DecodeError):
            packet = DataPacket.FromString(data)
            _sign(packet, sender.participant, kind)
            signed, wanted = packet.SerializeToString(), set(packet.destination_identities)
            for receiver in self._in_room(sender.room):
                if receiver is not sender and (not wanted or receiver.participant.identity in wanted):
                    receiver.subscriber.send_data(label, signed)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _sign(packet: DataPacket, sender: ParticipantInfo, kind: DataPacket.Kind) -> None:
    """Who sent it is the server's to say; but an agent may write in the name of others (transcripts)."""
    packet.kind, packet.participant_sid = kind, sender.sid
    is_text = packet.WhichOneof("value") in ("stream_header", "chat_message")
    if not (sender.permission.agent and is_text and packet.participant_identity):
        packet.participant_identity = sender.identity
    if packet.HasField("user"):
        packet.user.participant_sid, packet.user.participant_identity = sender.sid, sender.identity
        if not packet.destination_identities:
            packet.destination_identities.extend(packet.user.destination_identities)
