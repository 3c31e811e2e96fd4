"""An open room: its participants with their claims, its agent dispatches, its timer."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field

from livekit.protocol.agent_dispatch import AgentDispatch
from livekit.protocol.models import Codec, ParticipantInfo, ParticipantPermission, Room

from voiceapp.simulators.livekit.clock import Timer
from voiceapp.simulators.livekit.faults import LiveKitFaults
from voiceapp.simulators.livekit.ids import new_id
from voiceapp.simulators.livekit.tokens import TokenClaims
from voiceapp.simulators.livekit.twirp import TwirpError

_CODECS = ("audio/PCMU", "audio/PCMA", "audio/opus", "audio/red", "video/VP8", "video/H264", "video/VP9", "video/AV1")
_EMPTY_TIMEOUT_S, _DEPARTURE_TIMEOUT_S = 300, 20
DEPENDENTS = (ParticipantInfo.Kind.AGENT, ParticipantInfo.Kind.EGRESS)


@dataclass(slots=True)
class OpenRoom:
    info: Room
    faults: LiveKitFaults
    participants: dict[str, ParticipantInfo] = field(default_factory=dict)
    claims: dict[str, TokenClaims] = field(default_factory=dict)
    dispatches: dict[str, AgentDispatch] = field(default_factory=dict)
    timer: Timer | None = None

    @property
    def name(self) -> str:
        return self.info.name

    @property
    def people(self) -> list[ParticipantInfo]:
        """The participants who keep a room open: neither agents nor recorders."""
        return [each for each in self.participants.values() if each.kind not in DEPENDENTS]

    @property
    def has_tracks(self) -> bool:
        return any(each.tracks for each in self.participants.values())

    def update_counts(self) -> None:
        self.info.num_participants = len(self.people)
        self.info.num_publishers = sum(1 for each in self.participants.values() if each.tracks)

    def participant(self, identity: str) -> ParticipantInfo:
        """Raises TwirpError: not_found."""
        if identity not in self.participants:
            raise TwirpError("not_found", "participant does not exist")
        return self.participants[identity]


def new_room(name: str) -> Room:
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


def new_participant(claims: TokenClaims, kind: ParticipantInfo.Kind) -> ParticipantInfo:
    now_ms = time.time_ns() // 1_000_000
    return ParticipantInfo(
        sid=new_id("PA"),
        identity=claims.identity,
        name=claims.name,
        kind=kind,
        state=ParticipantInfo.State.JOINING,
        metadata=claims.metadata,
        attributes=dict(claims.attributes),
        joined_at=now_ms // 1000,
        joined_at_ms=now_ms,
        permission=_permission(claims),
    )


def _permission(claims: TokenClaims) -> ParticipantPermission:
    sources = claims.video.get("canPublishSources")
    named = sources if isinstance(sources, list) else []
    return ParticipantPermission(
        can_subscribe=claims.video.get("canSubscribe") is not False,
        can_publish=claims.video.get("canPublish") is not False,
        can_publish_data=claims.video.get("canPublishData") is not False,
        can_publish_sources=[str(each).upper() for each in named],
        can_update_metadata=claims.video.get("canUpdateOwnMetadata") is True,
        agent=claims.video.get("agent") is True,
        hidden=claims.video.get("hidden") is True,
    )
