"""The Twirp methods that are played: each checks its grant as the real server does, then does it."""

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

from voiceapp.simulators.livekit.house import House
from voiceapp.simulators.livekit.rooms import LONGEST_METADATA, OpenRoom
from voiceapp.simulators.livekit.twirp import Call, Method, Refusal

_LONGEST_STOP_S = 3.0


def _need(call: Call, grant: str, *, room: str | None = None) -> None:
    """An administrator's grant is for one room."""
    if not call.claims.grants(grant) or (room is not None and call.claims.room != room):
        raise Refusal("unauthenticated", "permissions denied")


class RoomService:
    def __init__(self, house: House) -> None:
        self._rooms, self._house = house.rooms, house

    async def create_room(self, call: Call, request: CreateRoomRequest) -> Room:
        _need(call, "roomCreate")
        return self._house.create_room(request, call.faults).info

    async def list_rooms(self, call: Call, request: ListRoomsRequest) -> ListRoomsResponse:
        _need(call, "roomList")
        wanted = set(request.names)
        return ListRoomsResponse(
            rooms=[room.info for room in self._rooms.open.values() if not wanted or room.name in wanted]
        )

    async def delete_room(self, call: Call, request: DeleteRoomRequest) -> DeleteRoomResponse:
        _need(call, "roomCreate")
        self._rooms.delete(request.room)
        return DeleteRoomResponse()

    async def update_metadata(self, call: Call, request: UpdateRoomMetadataRequest) -> Room:
        _need(call, "roomAdmin", room=request.room)
        if len(request.metadata.encode()) > LONGEST_METADATA:
            raise Refusal("invalid_argument", "metadata size exceeds limits")
        room = self._rooms.get(request.room)
        room.info.metadata = request.metadata
        return room.info

    async def list_participants(self, call: Call, request: ListParticipantsRequest) -> ListParticipantsResponse:
        _need(call, "roomAdmin", room=request.room)
        room = self._rooms.open.get(request.room)
        return ListParticipantsResponse(participants=list(room.participants.values()) if room else [])

    async def get_participant(self, call: Call, request: RoomParticipantIdentity) -> ParticipantInfo:
        _need(call, "roomAdmin", room=request.room)
        room = self._rooms.open.get(request.room)
        if room is None or request.identity not in room.participants:
            raise Refusal("not_found", "participant does not exist")
        return room.participants[request.identity]

    async def remove_participant(self, call: Call, request: RoomParticipantIdentity) -> RemoveParticipantResponse:
        _need(call, "roomAdmin", room=request.room)
        room = self._rooms.open.get(request.room)
        if room is None:
            raise Refusal("not_found", "participant does not exist")
        self._rooms.leave(room, request.identity, DisconnectReason.PARTICIPANT_REMOVED)
        return RemoveParticipantResponse()


class AgentDispatchService:
    def __init__(self, house: House) -> None:
        self._house, self._agents = house, house.agents

    async def create(self, call: Call, request: CreateAgentDispatchRequest) -> AgentDispatch:
        """Makes the room if it is not there, unless rooms are made by request alone."""
        _need(call, "roomAdmin", room=request.room)
        if not self._house.auto_create:
            self._room(request.room)
        room = self._house.create_room(CreateRoomRequest(name=request.room), call.faults)
        return self._agents.dispatch(room, agent_name=request.agent_name, metadata=request.metadata, faults=call.faults)

    async def list(self, call: Call, request: ListAgentDispatchRequest) -> ListAgentDispatchResponse:
        _need(call, "roomAdmin", room=request.room)
        wanted = request.dispatch_id
        found = [each for each in self._room(request.room).dispatches.values() if wanted in ("", each.id)]
        return ListAgentDispatchResponse(agent_dispatches=found)

    async def delete(self, call: Call, request: DeleteAgentDispatchRequest) -> AgentDispatch:
        _need(call, "roomAdmin", room=request.room)
        return self._agents.withdraw(self._room(request.room), request.dispatch_id)

    def _room(self, name: str) -> OpenRoom:
        # The room itself answers these on a real server: without it nobody does.
        room = self._house.rooms.open.get(name)
        if room is None:
            raise Refusal("unavailable", "no response from servers")
        return room


class EgressService:
    """Without Redis, listing says so at once, stopping after 3 s, and starting finds no recorder after 21 s."""

    def __init__(self, house: House) -> None:
        self._recorder, self._rooms, self._wait_s = house.recorder, house.rooms, house.egress_wait_s

    async def start(self, call: Call, request: RoomCompositeEgressRequest) -> EgressInfo:
        _need(call, "roomRecord")
        faults = self._rooms.get(request.room_name).faults | self._rooms.faults | call.faults
        if "redis_required" in faults or "egress_no_worker" in faults:
            await asyncio.sleep(self._wait_s)
            raise Refusal("unavailable", "no response from servers")
        return self._recorder.start(request, call.faults)

    async def stop(self, call: Call, request: StopEgressRequest) -> EgressInfo:
        _need(call, "roomRecord")
        await self._check(call, after_s=min(self._wait_s, _LONGEST_STOP_S))
        return self._recorder.stop(request.egress_id)

    async def list(self, call: Call, request: ListEgressRequest) -> ListEgressResponse:
        _need(call, "roomRecord")
        await self._check(call)
        return ListEgressResponse(
            items=self._recorder.listed(
                room_name=request.room_name, egress_id=request.egress_id, is_active=request.active
            )
        )

    async def _check(self, call: Call, *, after_s: float = 0) -> None:
        if "redis_required" in self._rooms.faults | call.faults:
            await asyncio.sleep(after_s)
            raise Refusal("internal", "egress not connected (redis required)")


#: What the real server has and this one does not play.
UNPLAYED = {
    "livekit.RoomService": {"MutePublishedTrack", "UpdateParticipant", "UpdateSubscriptions", "SendData"},
    "livekit.Egress": {
        "StartEgress", "StartWebEgress", "StartParticipantEgress", "StartTrackCompositeEgress", "StartTrackEgress",
        "UpdateLayout", "UpdateStream",
    },
}  # fmt: skip


def methods(house: House) -> dict[tuple[str, str], Method]:
    rooms, agents, egress = RoomService(house), AgentDispatchService(house), EgressService(house)
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
    }
