"""Everything this LiveKit has: keys, rooms, agents, the recorder and webhooks, on one clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from google.protobuf import json_format
from livekit.protocol.agent_dispatch import RoomAgentDispatch
from livekit.protocol.models import ParticipantInfo
from livekit.protocol.room import CreateRoomRequest, RoomConfiguration

from voiceapp.simulators.livekit.agents import Agents
from voiceapp.simulators.livekit.clock import Clock
from voiceapp.simulators.livekit.faults import Faults
from voiceapp.simulators.livekit.recorder import Recorder
from voiceapp.simulators.livekit.rooms import OpenRoom, Rooms, check_lengths
from voiceapp.simulators.livekit.tokens import Claims, Keys, TokenRefused
from voiceapp.simulators.livekit.twirp import Refusal
from voiceapp.simulators.livekit.webhooks import Webhooks

_KINDS = {
    "": ParticipantInfo.Kind.STANDARD,
    "standard": ParticipantInfo.Kind.STANDARD,
    "agent": ParticipantInfo.Kind.AGENT,
    "egress": ParticipantInfo.Kind.EGRESS,
    "ingress": ParticipantInfo.Kind.INGRESS,
    "sip": ParticipantInfo.Kind.SIP,
}


class House:
    def __init__(
        self,
        *,
        api_key: str,
        api_secret: str,
        webhook_urls: Sequence[str],
        faults: Faults,
        agent_after_s: float,
        agent_names: Iterable[str] | None,
        egress_step_s: float,
        webhook_pause_s: float,
        webhook_waits_for_s: float,
        egress_wait_s: float,
        directory: Path | None,
        auto_create: bool,
    ) -> None:
        self.keys = Keys(api_key, api_secret)
        self.clock = Clock()
        self.webhooks = Webhooks(
            self.keys, webhook_urls, first_pause_s=webhook_pause_s, waits_for_s=webhook_waits_for_s
        )
        self.rooms = Rooms(self.clock, self.webhooks, faults)
        names = None if agent_names is None else frozenset(agent_names)
        self.agents = Agents(self.rooms, join_after_s=agent_after_s, names=names)
        self.auto_create, self.egress_wait_s = auto_create, egress_wait_s
        self.recorder = Recorder(self.rooms, self.clock, self.webhooks, step_s=egress_step_s, directory=directory)

    async def open(self) -> None:
        await self.webhooks.open()

    async def close(self) -> None:
        self.agents.stop()
        self.clock.stop()
        await self.recorder.close()
        await self.webhooks.close()

    def create_room(self, request: CreateRoomRequest, faults: Faults) -> OpenRoom:
        """`agents` act only when the room is new; without any there is one dispatch without a name. Raises Refusal."""
        room, is_new = self.rooms.create(request, faults)
        if is_new:
            for agent in request.agents or [RoomAgentDispatch()]:
                self.agents.dispatch(room, agent_name=agent.agent_name, metadata=agent.metadata, faults=faults)
        return room

    def join(self, token: str, *, faults: Faults) -> tuple[OpenRoom, ParticipantInfo]:
        """Enter the token's room, which is made if it is not there (`auto_create`). Raises TokenRefused, Refusal."""
        claims = self.admit(token)
        request = CreateRoomRequest(name=claims.room)
        if claims.room not in self.rooms.open and claims.room_config:
            config = json_format.ParseDict(dict(claims.room_config), RoomConfiguration(), ignore_unknown_fields=True)
            request.agents.extend(config.agents)
            for name in ("empty_timeout", "departure_timeout", "max_participants", "metadata"):
                setattr(request, name, getattr(config, name))
        room = self.create_room(request, faults)
        return room, self.rooms.join(room, claims, _KINDS.get(claims.kind, ParticipantInfo.Kind.STANDARD))

    def admit(self, token: str) -> Claims:
        """The claims of a token that opens a room. Raises TokenRefused, and Refusal where there is no room."""
        claims = self.keys.read(token)
        if not claims.grants("roomJoin"):
            raise TokenRefused("permissions denied")
        if not claims.identity or not claims.room:
            raise Refusal("invalid_argument", "no room name" if claims.identity else "identity cannot be empty")
        check_lengths(claims)
        if not self.auto_create:
            self.rooms.get(claims.room)
        return claims
