"""The simulated Twirp methods: each checks its grant as the real server does, then does its work."""

from __future__ import annotations

import asyncio

from livekit.protocol.agent_dispatch import (
    AgentDispatch,
    CreateAgentDispatchRequest,
    DeleteAgentDispatchRequest,
    ListAgentDispatchRequest,
    ListAgentDispatchResponse,
)
from livekit.protocol.egress import (
    EgressInfo,
    ListEgressRequest,
    ListEgressResponse,
    RoomCompositeEgressRequest,
    StopEgressRequest,
)
from livekit.protocol.models import DisconnectReason, ParticipantInfo, Room
from livekit.protocol.room import (
    CreateRoomRequest,
    DeleteRoomRequest,
    DeleteRoomResponse,
    ListParticipantsRequest,
    ListParticipantsResponse,
    ListRoomsRequest,
    ListRoomsResponse,
    RemoveParticipantResponse,
    RoomParticipantIdentity,
    UpdateRoomMetadataRequest,
)

from voiceapp.simulators.livekit.backend import LiveKitBackend
from voiceapp.simulators.livekit.limits import MAX_METADATA_BYTES
from voiceapp.simulators.livekit.room import OpenRoom
from voiceapp.simulators.livekit.twirp import Method, TwirpCall, TwirpError

_MAX_STOP_WAIT_S = 3.0


def _require(call: TwirpCall, grant: str, *, room: str | None = None) -> None:
    """The grant of an administrator is for one room."""
    if not call.claims.grants(grant) or (room is not None and call.claims.room != room):
        raise TwirpError("unauthenticated", "permissions denied")


class RoomService:
    def __init__(self, backend: LiveKitBackend) -> None:
        self._rooms, self._backend = backend.rooms, backend

    async def create_room(self, call: TwirpCall, request: CreateRoomRequest) -> Room:
        _require(call, "roomCreate")
        return self._backend.create_room(request, call.faults).info

    async def list_rooms(self, call: TwirpCall, request: ListRoomsRequest) -> ListRoomsResponse:
        _require(call, "roomList")
        wanted = set(request.names)
        return ListRoomsResponse(
            rooms=[room.info for room in self._rooms.open.values() if not wanted or room.name in wanted]
        )

    async def delete_room(self, call: TwirpCall, request: DeleteRoomRequest) -> DeleteRoomResponse:
        _require(call, "roomCreate")
        self._rooms.delete(request.room)
        return DeleteRoomResponse()

    async def update_metadata(self, call: TwirpCall, request: UpdateRoomMetadataRequest) -> Room:
        _require(call, "roomAdmin", room=request.room)
        if len(request.metadata.encode()) > MAX_METADATA_BYTES:
            raise TwirpError("invalid_argument", "metadata size exceeds limits")
        room = self._rooms.get(request.room)
        room.info.metadata = request.metadata
        self._rooms.change(room, None)
        return room.info

    async def list_participants(self, call: TwirpCall, request: ListParticipantsRequest) -> ListParticipantsResponse:
        _require(call, "roomAdmin", room=request.room)
        room = self._rooms.open.get(request.room)
        return ListParticipantsResponse(participants=list(room.participants.values()) if room else [])

    async def get_participant(self, call: TwirpCall, request: RoomParticipantIdentity) -> ParticipantInfo:
        _require(call, "roomAdmin", room=request.room)
        room = self._rooms.open.get(request.room)
        if room is None or request.identity not in room.participants:
            raise TwirpError("not_found", "participant does not exist")
        return room.participants[request.identity]

    async def remove_participant(self, call: TwirpCall, request: RoomParticipantIdentity) -> RemoveParticipantResponse:
        _require(call, "roomAdmin", room=request.room)
        room = self._rooms.open.get(request.room)
        if room is None:
            raise TwirpError("not_found", "participant does not exist")
        self._rooms.leave(room, request.identity, DisconnectReason.PARTICIPANT_REMOVED)
        return RemoveParticipantResponse()


class AgentDispatchService:
    def __init__(self, backend: LiveKitBackend) -> None:
        self._backend, self._workers = backend, backend.workers

    async def create(self, call: TwirpCall, request: CreateAgentDispatchRequest) -> AgentDispatch:
        """Creates the room if it does not exist and `auto_create` is on."""
        _require(call, "roomAdmin", room=request.room)
        if not self._backend.auto_create:
            self._room(request.room)
        room = self._backend.create_room(CreateRoomRequest(name=request.room), call.faults)
        return self._workers.dispatch(
            room, agent_name=request.agent_name, metadata=request.metadata, faults=call.faults
        )

    async def list(self, call: TwirpCall, request: ListAgentDispatchRequest) -> ListAgentDispatchResponse:
        _require(call, "roomAdmin", room=request.room)
        wanted = request.dispatch_id
        found = [each for each in self._room(request.room).dispatches.values() if wanted in ("", each.id)]
        return ListAgentDispatchResponse(agent_dispatches=found)

    async def delete(self, call: TwirpCall, request: DeleteAgentDispatchRequest) -> AgentDispatch:
        _require(call, "roomAdmin", room=request.room)
        return self._workers.delete_dispatch(self._room(request.room), request.dispatch_id)

    def _room(self, name: str) -> OpenRoom:
        # On a real server the room itself responds to these requests.
        room = self._backend.rooms.open.get(name)
        if room is None:
            raise TwirpError("unavailable", "no response from servers")
        return room


class EgressService:
    """Without Redis, listing fails at once, stopping after 3 s, and starting, without a recorder, after 21 s."""

    def __init__(self, backend: LiveKitBackend) -> None:
        self._recorder, self._rooms, self._wait_s = backend.recorder, backend.rooms, backend.egress_wait_s

    async def start(self, call: TwirpCall, request: RoomCompositeEgressRequest) -> EgressInfo:
        _require(call, "roomRecord")
        faults = self._rooms.get(request.room_name).faults | self._rooms.faults | call.faults
        if "redis_required" in faults or "egress_no_worker" in faults:
            await asyncio.sleep(self._wait_s)
            raise TwirpError("unavailable", "no response from servers")
        return self._recorder.start(request, call.faults)

    async def stop(self, call: TwirpCall, request: StopEgressRequest) -> EgressInfo:
        _require(call, "roomRecord")
        await self._check(call, after_s=min(self._wait_s, _MAX_STOP_WAIT_S))
        return self._recorder.stop(request.egress_id)

    async def list(self, call: TwirpCall, request: ListEgressRequest) -> ListEgressResponse:
        _require(call, "roomRecord")
        await self._check(call)
        return ListEgressResponse(
            items=self._recorder.listed(
                room_name=request.room_name, egress_id=request.egress_id, is_active=request.active
            )
        )

    async def _check(self, call: TwirpCall, *, after_s: float = 0) -> None:
        if "redis_required" in self._rooms.faults | call.faults:
            await asyncio.sleep(after_s)
            raise TwirpError("internal", "egress not connected (redis required)")


#: The methods of the real server that are not simulated.
NOT_SIMULATED = {
    "livekit.RoomService": {"MutePublishedTrack", "UpdateParticipant", "UpdateSubscriptions", "SendData"},
    "livekit.Egress": {
        "StartEgress", "StartWebEgress", "StartParticipantEgress", "StartTrackCompositeEgress", "StartTrackEgress",
        "UpdateLayout", "UpdateStream",
    },
}  # fmt: skip


def methods(backend: LiveKitBackend) -> dict[tuple[str, str], Method]:
    rooms, agents, egress = RoomService(backend), AgentDispatchService(backend), EgressService(backend)
    return {
        ("livekit.RoomService", "CreateRoom"): Method(CreateRoomRequest, rooms.create_room),
        ("livekit.RoomService", "ListRooms"): Method(ListRoomsRequest, rooms.list_rooms),
        ("livekit.RoomService", "DeleteRoom"): Method(DeleteRoomRequest, rooms.delete_room),
        ("livekit.RoomService", "UpdateRoomMetadata"): Method(UpdateRoomMetadataRequest, rooms.update_metadata),
        ("livekit.RoomService", "ListParticipants"): Method(ListParticipantsRequest, rooms.list_participants),
        ("livekit.RoomService", "GetParticipant"): Method(RoomParticipantIdentity, rooms.get_participant),
        ("livekit.RoomService", "RemoveParticipant"): Method(RoomParticipantIdentity, rooms.remove_participant),
        ("livekit.AgentDispatchService", "CreateDispatch"): Method(CreateAgentDispatchRequest, agents.create),
        ("livekit.AgentDispatchService", "ListDispatch"): Method(ListAgentDispatchRequest, agents.list),
        ("livekit.AgentDispatchService", "DeleteDispatch"): Method(DeleteAgentDispatchRequest, agents.delete),
        ("livekit.Egress", "StartRoomCompositeEgress"): Method(RoomCompositeEgressRequest, egress.start),
        ("livekit.Egress", "StopEgress"): Method(StopEgressRequest, egress.stop),
        ("livekit.Egress", "ListEgress"): Method(ListEgressRequest, egress.list),
    } | backend.phones.methods
