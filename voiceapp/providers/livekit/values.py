"""LiveKit's rooms, participants, agent dispatches and egress as values of ours.

LiveKit has seconds for rooms and participants, nanoseconds for egress and jobs; here all are datetimes (UTC).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from google.protobuf.message import Message
from livekit.protocol import agent as agent_messages
from livekit.protocol import agent_dispatch as dispatch_messages
from livekit.protocol import egress as egress_messages
from livekit.protocol import models as room_messages

from voiceapp.core.plain_text import one_line

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class EgressStatus(StrEnum):
    STARTING = "starting"
    ACTIVE = "active"
    ENDING = "ending"
    COMPLETE = "complete"
    FAILED = "failed"
    ABORTED = "aborted"
    LIMIT_REACHED = "limit_reached"  # ended, but with a file
    UNKNOWN = "unknown"

    @classmethod
    def _missing_(cls, value: object) -> EgressStatus:
        return cls.UNKNOWN


STILL_RECORDING = {EgressStatus.STARTING, EgressStatus.ACTIVE, EgressStatus.ENDING}


@dataclass(frozen=True, slots=True)
class Room:
    sid: str
    name: str
    metadata: str
    created_at: datetime | None
    participant_count: int
    is_recorded: bool


@dataclass(frozen=True, slots=True)
class Track:
    """`kind`: audio, video, data. `source`: microphone, camera, screen_share, screen_share_audio, unknown."""

    sid: str
    kind: str
    source: str
    name: str
    is_muted: bool


@dataclass(frozen=True, slots=True)
class Participant:
    """`kind`: standard, agent, egress, sip, ingress, connector, bridge. `state`: joining, joined, active, disconnected.

    `sid` distinguishes two joins of one identity.
    """

    sid: str
    identity: str
    name: str
    kind: str
    state: str
    metadata: str
    attributes: dict[str, str]
    joined_at: datetime | None
    tracks: tuple[Track, ...]
    disconnect_reason: str

    @property
    def is_agent(self) -> bool:
        return self.kind == "agent"

    @property
    def is_answered(self) -> bool:
        """A telephone that was dialed and answered: LiveKit has it in the room since it was dialed."""
        return self.attributes.get("sip.callStatus") == "active"

    @property
    def is_person(self) -> bool:
        """A browser or a telephone: neither an agent nor one of LiveKit's services."""
        return self.kind in ("standard", "sip", "connector")


@dataclass(frozen=True, slots=True)
class AgentJob:
    """`status`: pending, running, success, failed, canceled; the last three are not reliable."""

    id: str
    status: str
    error: str
    participant_identity: str


@dataclass(frozen=True, slots=True)
class AgentDispatch:
    """`jobs` is empty if no worker has accepted it; workers that start later do not."""

    id: str
    agent_name: str
    room: str
    metadata: str
    created_at: datetime | None
    jobs: tuple[AgentJob, ...]


@dataclass(frozen=True, slots=True)
class RecordedFile:
    name: str
    location: str
    size_bytes: int
    duration_ms: int


@dataclass(frozen=True, slots=True)
class RoomRecording:
    """An egress. Only `status` and `error` at its end show whether it worked."""

    egress_id: str
    room: str
    room_sid: str
    status: EgressStatus
    started_at: datetime | None
    updated_at: datetime | None
    ended_at: datetime | None
    error: str
    error_code: int
    file: RecordedFile | None
    requested_path: str = ""  # the file name in the request; egress started by others may have none

    @property
    def is_over(self) -> bool:
        return self.status not in STILL_RECORDING and self.status is not EgressStatus.UNKNOWN


def room_of(message: room_messages.Room) -> Room:
    return Room(
        sid=message.sid,
        name=message.name,
        metadata=message.metadata,
        created_at=_from_s(message.creation_time, message.creation_time_ms),
        participant_count=message.num_participants,
        is_recorded=message.active_recording,
    )


def track_of(message: room_messages.TrackInfo) -> Track:
    return Track(
        sid=message.sid,
        kind=enum_name(message, "type"),
        source=enum_name(message, "source"),
        name=message.name,
        is_muted=message.muted,
    )


def participant_of(message: room_messages.ParticipantInfo) -> Participant:
    return Participant(
        sid=message.sid,
        identity=message.identity,
        name=one_line(message.name),
        kind=enum_name(message, "kind"),
        state=enum_name(message, "state"),
        metadata=message.metadata,
        attributes=dict(message.attributes),
        joined_at=_from_s(message.joined_at, message.joined_at_ms),
        tracks=tuple(map(track_of, message.tracks)),
        disconnect_reason=enum_name(message, "disconnect_reason"),
    )


def job_of(message: agent_messages.Job) -> AgentJob:
    return AgentJob(
        id=message.id,
        status=enum_name(message.state, "status").removeprefix("js_"),
        error=message.state.error,
        participant_identity=message.state.participant_identity,
    )


def dispatch_of(message: dispatch_messages.AgentDispatch) -> AgentDispatch:
    return AgentDispatch(
        id=message.id,
        agent_name=message.agent_name,
        room=message.room,
        metadata=message.metadata,
        created_at=_from_ns(message.state.created_at),
        jobs=tuple(map(job_of, message.state.jobs)),
    )


def recording_of(message: egress_messages.EgressInfo) -> RoomRecording:
    status = enum_name(message, "status").removeprefix("egress_")
    files = message.file_results
    return RoomRecording(
        egress_id=message.egress_id,
        room=message.room_name,
        room_sid=message.room_id,
        status=EgressStatus(status),
        started_at=_from_ns(message.started_at),
        updated_at=_from_ns(message.updated_at),
        ended_at=_from_ns(message.ended_at),
        error=message.error,
        error_code=message.error_code,
        file=_file_of(files[0]) if files else None,
        requested_path=requested_path(message),
    )


def requested_path(message: egress_messages.EgressInfo) -> str:
    """The file name in the request that started it."""
    outputs = message.room_composite.file_outputs
    return str(outputs[0].filepath) if outputs else ""


def _file_of(message: egress_messages.FileInfo) -> RecordedFile:
    return RecordedFile(
        name=message.filename,
        location=message.location,
        size_bytes=message.size,
        duration_ms=message.duration // 1_000_000,
    )


def enum_name(message: Message, field: str) -> str:
    """The lower-case name of an enum value; `unknown` for one that is newer than our livekit-protocol."""
    enum = message.DESCRIPTOR.fields_by_name[field].enum_type
    value = enum.values_by_number.get(getattr(message, field)) if enum else None
    return str(value.name).lower() if value else "unknown"


def _from_s(seconds: int, milliseconds: int) -> datetime | None:
    return _timestamp(timedelta(milliseconds=milliseconds) or timedelta(seconds=seconds))


def _from_ns(nanoseconds: int) -> datetime | None:
    return _timestamp(timedelta(microseconds=nanoseconds // 1000))


def _timestamp(since: timedelta) -> datetime | None:
    """None for "not yet", which LiveKit writes as 0."""
    return EPOCH + since if since else None
