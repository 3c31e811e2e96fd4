"""The parts of the simulated server, on one clock: API key, rooms, agent workers, egress, webhooks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from google.protobuf import json_format
from livekit.protocol.agent_dispatch import RoomAgentDispatch
from livekit.protocol.models import ParticipantInfo, ServerInfo
from livekit.protocol.room import CreateRoomRequest, RoomConfiguration

from voiceapp.simulators.livekit.clock import Clock
from voiceapp.simulators.livekit.egress import EgressRecorder
from voiceapp.simulators.livekit.faults import LiveKitFaults
from voiceapp.simulators.livekit.limits import check_room_claims
from voiceapp.simulators.livekit.phones import SipService
from voiceapp.simulators.livekit.registered_workers import RegisteredWorkers
from voiceapp.simulators.livekit.room import OpenRoom
from voiceapp.simulators.livekit.rooms import Rooms
from voiceapp.simulators.livekit.rtc.connections import Connections
from voiceapp.simulators.livekit.tokens import ApiKeyPair, InvalidToken, TokenClaims
from voiceapp.simulators.livekit.twirp import TwirpError
from voiceapp.simulators.livekit.webhooks import WebhookSender
from voiceapp.simulators.livekit.workers import AgentWorkers

_KINDS = {
    "": ParticipantInfo.Kind.STANDARD,
    "standard": ParticipantInfo.Kind.STANDARD,
    "agent": ParticipantInfo.Kind.AGENT,
    "egress": ParticipantInfo.Kind.EGRESS,
    "ingress": ParticipantInfo.Kind.INGRESS,
    "sip": ParticipantInfo.Kind.SIP,
}


#: As /agent and /rtc introduce the server.
SERVER = ServerInfo(version="1.13.5", protocol=17, agent_protocol=1, node_id="ND_simulator")


def kind_of(claims: TokenClaims) -> ParticipantInfo.Kind:
    return _KINDS.get(claims.kind, ParticipantInfo.Kind.STANDARD)


class LiveKitBackend:
    def __init__(
        self,
        *,
        api_key: str,
        api_secret: str,
        webhook_urls: Sequence[str],
        faults: LiveKitFaults,
        agent_after_s: float,
        agent_names: Iterable[str] | None,
        egress_step_s: float,
        webhook_pause_s: float,
        webhook_max_wait_s: float,
        egress_wait_s: float,
        directory: Path | None,
        auto_create: bool,
    ) -> None:
        self.key = ApiKeyPair(api_key, api_secret)
        self.clock = Clock()
        self.webhooks = WebhookSender(
            self.key, webhook_urls, first_pause_s=webhook_pause_s, max_wait_s=webhook_max_wait_s
        )
        self.rooms = Rooms(self.clock, self.webhooks, faults)
        names = None if agent_names is None else frozenset(agent_names)
        self.workers = AgentWorkers(self.rooms, RegisteredWorkers(self.key), join_after_s=agent_after_s, names=names)
        self.phones = SipService(self.rooms, self.clock, answers_after_s=agent_after_s)
        self.connections = Connections(self.rooms, self.clock, SERVER)
        self.auto_create, self.egress_wait_s = auto_create, egress_wait_s
        self.recorder = EgressRecorder(self.rooms, self.clock, self.webhooks, step_s=egress_step_s, directory=directory)

    async def open(self) -> None:
        await self.webhooks.open()

    async def close(self) -> None:
        await self.workers.close()
        await self.connections.close()
        self.clock.stop()
        await self.recorder.close()
        await self.webhooks.close()

    def create_room(self, request: CreateRoomRequest, faults: LiveKitFaults) -> OpenRoom:
        """Dispatch `agents`, or one without a name if there are none, to a new room only. Raises TwirpError."""
        room, is_new = self.rooms.create(request, faults)
        if is_new:
            for agent in request.agents or [RoomAgentDispatch()]:
                self.workers.dispatch(room, agent_name=agent.agent_name, metadata=agent.metadata, faults=faults)
        return room

    def join(self, token: str, *, faults: LiveKitFaults) -> tuple[OpenRoom, ParticipantInfo]:
        """Be in the token's room at once, without media. Raises InvalidToken, TwirpError."""
        room, claims = self._open(token, faults)
        return room, self.rooms.join(room, claims, kind_of(claims))

    def enter(self, token: str, *, faults: LiveKitFaults) -> tuple[OpenRoom, ParticipantInfo]:
        """Enter the token's room, and join it when media is connected. Raises InvalidToken, TwirpError."""
        room, claims = self._open(token, faults)
        return room, self.rooms.enter(room, claims, kind_of(claims))

    def _open(self, token: str, faults: LiveKitFaults) -> tuple[OpenRoom, TokenClaims]:
        """The token's room, which `auto_create` creates if necessary."""
        claims = self.check_token(token)
        request = CreateRoomRequest(name=claims.room)
        if claims.room not in self.rooms.open and claims.room_config:
            config = json_format.ParseDict(dict(claims.room_config), RoomConfiguration(), ignore_unknown_fields=True)
            request.agents.extend(config.agents)
            for name in ("empty_timeout", "departure_timeout", "max_participants", "metadata"):
                setattr(request, name, getattr(config, name))
        return self.create_room(request, faults), claims

    def check_token(self, token: str) -> TokenClaims:
        """The claims of a token that opens a room. Raises InvalidToken, or TwirpError if there is no room."""
        claims = self.key.read(token)
        if not claims.grants("roomJoin"):
            raise InvalidToken("permissions denied")
        if not claims.identity or not claims.room:
            raise TwirpError("invalid_argument", "no room name" if claims.identity else "identity cannot be empty")
        check_room_claims(claims)
        if not self.auto_create:
            self.rooms.get(claims.room)
        return claims
