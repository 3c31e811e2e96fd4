"""Egress: a recording starts, waits for a track, runs, is stopped or ends with its room, and leaves a file."""

from __future__ import annotations

import asyncio
import re
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from livekit.protocol.egress import (
    EgressInfo,
    EgressStatus,
    EncodedFileOutput,
    EncodedFileType,
    RoomCompositeEgressRequest,
)
from livekit.protocol.models import DisconnectReason, ParticipantInfo

from voiceapp.simulators.livekit.clock import Clock, Timer
from voiceapp.simulators.livekit.faults import Faults
from voiceapp.simulators.livekit.identifiers import new_id
from voiceapp.simulators.livekit.rooms import OpenRoom, Rooms
from voiceapp.simulators.livekit.silence import mp4, ogg
from voiceapp.simulators.livekit.storage import StorageRefused, keep
from voiceapp.simulators.livekit.tokens import Claims
from voiceapp.simulators.livekit.twirp import Refusal
from voiceapp.simulators.livekit.webhooks import Webhooks

_LONGEST_WAIT_FOR_TRACK_S = 60
_LONGEST_SOUND_S = 600.0
_EXTENSIONS = {EncodedFileType.MP4: ".mp4", EncodedFileType.OGG: ".ogg", EncodedFileType.DEFAULT_FILETYPE: ".ogg"}
_STOPPABLE = (EgressStatus.EGRESS_STARTING, EgressStatus.EGRESS_ACTIVE)


@dataclass(slots=True)
class Recording:
    info: EgressInfo
    output: EncodedFileOutput  # with the storage's credentials, which `info` does not show
    room: OpenRoom
    faults: Faults
    timer: Timer | None = None
    active_at_s: float = 0.0
    tasks: set[asyncio.Task[None]] = field(default_factory=set)


class Recorder:
    """`step_s`: how long each change of state takes. Files go below `directory` unless a storage is named."""

    def __init__(
        self, rooms: Rooms, clock: Clock, webhooks: Webhooks, *, step_s: float, directory: Path | None
    ) -> None:
        self.recordings: dict[str, Recording] = {}
        self.directory = directory or Path(tempfile.mkdtemp(prefix="livekit-recordings-"))
        self._rooms, self._clock, self._webhooks, self._step_s = rooms, clock, webhooks, step_s
        rooms.on_track.append(self._track_published)
        rooms.on_closed.append(self._room_closed)

    async def close(self) -> None:
        tasks = [task for recording in self.recordings.values() for task in recording.tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def start(self, request: RoomCompositeEgressRequest, faults: Faults) -> EgressInfo:
        """Raises Refusal."""
        room = self._rooms.get(request.room_name)
        faults = room.faults | faults
        if "egress_refused" in faults:
            raise Refusal("internal", "egress could not be started")
        output = _output_of(request)
        info = EgressInfo(
            egress_id=new_id("EG"),
            room_id=room.info.sid,
            room_name=room.name,
            status=EgressStatus.EGRESS_STARTING,
            started_at=time.time_ns(),
            updated_at=time.time_ns(),
            room_composite=_redacted(request),
        )
        recording = Recording(info, output, room, faults)
        self.recordings[info.egress_id] = recording
        self._tell(recording, "egress_started")
        recording.timer = self._clock.call_later(_LONGEST_WAIT_FOR_TRACK_S, lambda: self._abort(recording))
        answer = EgressInfo()
        answer.CopyFrom(info)  # as it stands now: what follows happens later
        if "egress_aborts" in faults:
            self._later(recording, lambda: self._abort(recording))
        elif room.has_tracks:
            self._later(recording, lambda: self._become_active(recording))
        return answer

    def stop(self, egress_id: str) -> EgressInfo:
        """Raises Refusal."""
        recording = self.recordings.get(egress_id)
        if recording is None:
            raise Refusal("not_found", "egress does not exist")
        if recording.info.status not in _STOPPABLE:
            name = EgressStatus.Name(recording.info.status)
            raise Refusal("failed_precondition", f"egress with status {name} cannot be stopped")
        self._end(recording)
        answer = EgressInfo()
        answer.CopyFrom(recording.info)
        return answer

    def listed(self, *, room_name: str, egress_id: str, is_active: bool) -> list[EgressInfo]:
        return [
            each.info
            for each in self.recordings.values()
            if (not room_name or each.info.room_name == room_name)
            and (not egress_id or each.info.egress_id == egress_id)
            and (not is_active or each.info.status <= EgressStatus.EGRESS_ENDING)
        ]

    def set_status(self, egress_id: str, status: EgressStatus, *, error: str = "", code: int = 0) -> None:
        """As the control API wishes, with its webhook. Raises Refusal."""
        if egress_id not in self.recordings:
            raise Refusal("not_found", "egress does not exist")
        self._move(self.recordings[egress_id], status, error=error, code=code)

    # what happens to it

    def _track_published(self, room: OpenRoom) -> None:
        for recording in self._of(room):
            if recording.info.status == EgressStatus.EGRESS_STARTING and not recording.tasks:
                self._later(recording, lambda each=recording: self._become_active(each))  # type: ignore[misc]  # bound now

    def _room_closed(self, room: OpenRoom) -> None:
        for recording in self._of(room):
            if recording.info.status == EgressStatus.EGRESS_STARTING:
                self._abort(recording)
            elif recording.info.status == EgressStatus.EGRESS_ACTIVE:
                self._end(recording)

    def _become_active(self, recording: Recording) -> None:
        is_waiting = recording.info.status == EgressStatus.EGRESS_STARTING
        if not is_waiting or "egress_never_starts" in recording.faults:
            return
        recording.active_at_s = self._clock.now_s
        identity = recording.info.egress_id
        if self._rooms.open.get(recording.room.name) is recording.room:
            hidden = Claims(identity=identity, kind="egress", video={"canPublish": False})
            self._rooms.join(recording.room, hidden, ParticipantInfo.Kind.EGRESS)
            recording.room.info.active_recording = True
        self._move(recording, EgressStatus.EGRESS_ACTIVE)

    def _abort(self, recording: Recording) -> None:
        if recording.info.status == EgressStatus.EGRESS_STARTING and "egress_never_starts" not in recording.faults:
            self._move(recording, EgressStatus.EGRESS_ABORTED, error="Start signal not received", code=412)

    def _end(self, recording: Recording) -> None:
        was_active = recording.info.status == EgressStatus.EGRESS_ACTIVE
        self._move(recording, EgressStatus.EGRESS_ENDING)
        room, identity = recording.room, recording.info.egress_id
        if identity in room.participants:
            self._rooms.leave(room, identity, DisconnectReason.CLIENT_INITIATED)
        room.info.active_recording = any(each.info.status == EgressStatus.EGRESS_ACTIVE for each in self._of(room))
        if "egress_never_ends" not in recording.faults:
            task = asyncio.create_task(self._finish(recording, was_active=was_active))
            recording.tasks.add(task)
            task.add_done_callback(recording.tasks.discard)

    async def _finish(self, recording: Recording, *, was_active: bool) -> None:
        await asyncio.sleep(self._step_s)
        if not was_active:
            self._move(
                recording, EgressStatus.EGRESS_ABORTED, error="Stop called before pipeline could start", code=412
            )
            return
        if "egress_fails" in recording.faults:
            self._move(recording, EgressStatus.EGRESS_FAILED, error="upload failed: AccessDenied", code=500)
            return
        duration_s = self._clock.now_s - recording.active_at_s
        if "egress_no_file" not in recording.faults:
            try:
                await self._write(recording, duration_s)
            except StorageRefused as exc:
                self._move(recording, EgressStatus.EGRESS_FAILED, error=f"upload failed: {exc}", code=500)
                return
        self._move(recording, EgressStatus.EGRESS_COMPLETE)

    async def _write(self, recording: Recording, duration_s: float) -> None:
        extension = _EXTENSIONS[recording.output.file_type]
        sound_s = min(duration_s, _LONGEST_SOUND_S)
        content = mp4(sound_s) if extension == ".mp4" else ogg(sound_s)
        name = _file_name(recording.output.filepath, recording.info, extension)
        location = await keep(content, name=name, output=recording.output, directory=self.directory)
        now_ns = time.time_ns()
        recording.info.file_results.add(
            filename=name,
            location=location,
            size=len(content),
            duration=int(duration_s * 1e9),
            started_at=now_ns - int(duration_s * 1e9),
            ended_at=now_ns,
        )

    def _move(self, recording: Recording, status: EgressStatus, *, error: str = "", code: int = 0) -> None:
        info = recording.info
        info.status, info.updated_at = status, time.time_ns()
        info.error, info.error_code = error, code
        is_over = status > EgressStatus.EGRESS_ENDING
        if is_over:
            info.ended_at = info.updated_at
        if recording.timer and status != EgressStatus.EGRESS_STARTING:
            recording.timer.cancel()
        self._tell(recording, "egress_ended" if is_over else "egress_updated")

    def _tell(self, recording: Recording, event: str) -> None:
        # A lane of its own: a room's webhooks and a recording's overtake each other.
        key = recording.info.egress_id
        self._webhooks.emit(event, key=key, faults=recording.faults, egress_info=recording.info)

    def _of(self, room: OpenRoom) -> list[Recording]:
        return [each for each in self.recordings.values() if each.room is room]

    def _later(self, recording: Recording, act: Callable[[], None]) -> None:
        async def do() -> None:
            await asyncio.sleep(self._step_s)
            act()

        task = asyncio.create_task(do())
        recording.tasks.add(task)
        task.add_done_callback(recording.tasks.discard)


def _output_of(request: RoomCompositeEgressRequest) -> EncodedFileOutput:
    outputs = list(request.file_outputs) or ([request.file] if request.HasField("file") else [])
    if not outputs:
        raise Refusal("invalid_argument", "request has missing or invalid field: output")
    if outputs[0].file_type not in _EXTENSIONS:
        raise Refusal("invalid_argument", "request has missing or invalid field: file_type")
    return outputs[0]


def _redacted(request: RoomCompositeEgressRequest) -> RoomCompositeEgressRequest:
    shown = RoomCompositeEgressRequest()
    shown.CopyFrom(request)
    for output in [*shown.file_outputs, *([shown.file] if shown.HasField("file") else [])]:
        if output.HasField("s3"):
            output.s3.access_key, output.s3.secret = "{access_key}", "{secret}"
            output.s3.session_token = "{session_token}" if output.s3.session_token else ""
    return shown


def _file_name(template: str, info: EgressInfo, extension: str) -> str:
    """LiveKit's placeholders filled in; the extension is added if it is missing."""
    moment = datetime.fromtimestamp(info.started_at / 1e9, tz=UTC).strftime("%Y-%m-%dT%H%M%S")
    known = {"room_name": info.room_name, "room_id": info.room_id, "time": moment, "egress_id": info.egress_id}
    template = template or "{room_name}-{time}"
    if template.endswith("/"):
        template += "{room_name}-{time}"
    name = re.sub(r"\{(\w+)\}", lambda found: known.get(found[1], found[0]), template)
    return name if name.endswith(extension) else name + extension
