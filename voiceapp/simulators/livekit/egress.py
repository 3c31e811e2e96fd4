"""Egress: a recording starts, waits for a track, runs, is stopped or ends with its room, and writes a file."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from livekit.protocol.egress import (
    EgressInfo,
    EgressStatus,
    EncodedFileOutput,
    RoomCompositeEgressRequest,
)
from livekit.protocol.models import DisconnectReason, ParticipantInfo

from voiceapp.simulators.livekit.clock import Clock, Timer
from voiceapp.simulators.livekit.faults import LiveKitFaults
from voiceapp.simulators.livekit.ids import new_id
from voiceapp.simulators.livekit.room import OpenRoom
from voiceapp.simulators.livekit.rooms import Rooms
from voiceapp.simulators.livekit.silent_audio import mp4, ogg
from voiceapp.simulators.livekit.storage import (
    EXTENSIONS,
    UploadFailed,
    file_name,
    output_of,
    store,
    without_credentials,
)
from voiceapp.simulators.livekit.tokens import TokenClaims
from voiceapp.simulators.livekit.twirp import TwirpError
from voiceapp.simulators.livekit.webhooks import WebhookSender

_MAX_WAIT_FOR_TRACK_S = 60
_MAX_AUDIO_S = 600.0
_STOPPABLE = (EgressStatus.EGRESS_STARTING, EgressStatus.EGRESS_ACTIVE)


@dataclass(slots=True)
class EgressRecording:
    info: EgressInfo
    output: EncodedFileOutput  # with the credentials of the storage, which `info` hides
    room: OpenRoom
    faults: LiveKitFaults
    timer: Timer | None = None
    active_at_s: float = 0.0
    tasks: set[asyncio.Task[None]] = field(default_factory=set)


class EgressRecorder:
    """`step_s`: how long each change of state takes. Files go to `directory` unless the request names a storage; if
    there is neither, they stay until `close`.
    """

    def __init__(
        self, rooms: Rooms, clock: Clock, webhooks: WebhookSender, *, step_s: float, directory: Path | None
    ) -> None:
        self.recordings: dict[str, EgressRecording] = {}
        self._given = directory
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._rooms, self._clock, self._webhooks, self._step_s = rooms, clock, webhooks, step_s
        rooms.on_track.append(self._track_published)
        rooms.on_closed.append(self._room_closed)

    async def close(self) -> None:
        tasks = [task for recording in self.recordings.values() for task in recording.tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._temporary:
            self._temporary.cleanup()

    def _directory(self) -> Path:
        """A temporary one is made for its first file: a simulator that is killed leaves none behind without need."""
        if self._given is not None:
            return self._given
        if self._temporary is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="livekit-recordings-")
        return Path(self._temporary.name)

    def start(self, request: RoomCompositeEgressRequest, faults: LiveKitFaults) -> EgressInfo:
        """Raises TwirpError."""
        room = self._rooms.get(request.room_name)
        faults = room.faults | faults
        if "egress_refused" in faults:
            raise TwirpError("internal", "egress could not be started")
        output = output_of(request)
        info = EgressInfo(
            egress_id=new_id("EG"),
            room_id=room.info.sid,
            room_name=room.name,
            status=EgressStatus.EGRESS_STARTING,
            started_at=time.time_ns(),
            updated_at=time.time_ns(),
            room_composite=without_credentials(request),
        )
        recording = EgressRecording(info, output, room, faults)
        self.recordings[info.egress_id] = recording
        self._send_event(recording, "egress_started")
        recording.timer = self._clock.call_later(_MAX_WAIT_FOR_TRACK_S, lambda: self._abort(recording))
        response = EgressInfo()
        response.CopyFrom(info)  # a copy: it changes later
        if "egress_aborts" in faults:
            self._after_step(recording, lambda: self._abort(recording))
        elif room.has_tracks:
            self._after_step(recording, lambda: self._become_active(recording))
        return response

    def stop(self, egress_id: str) -> EgressInfo:
        """Raises TwirpError."""
        recording = self.recordings.get(egress_id)
        if recording is None:
            raise TwirpError("not_found", "egress does not exist")
        if recording.info.status not in _STOPPABLE:
            name = EgressStatus.Name(recording.info.status)
            raise TwirpError("failed_precondition", f"egress with status {name} cannot be stopped")
        self._end(recording)
        response = EgressInfo()
        response.CopyFrom(recording.info)
        return response

    def listed(self, *, room_name: str, egress_id: str, is_active: bool) -> list[EgressInfo]:
        return [
            each.info
            for each in self.recordings.values()
            if (not room_name or each.info.room_name == room_name)
            and (not egress_id or each.info.egress_id == egress_id)
            and (not is_active or each.info.status <= EgressStatus.EGRESS_ENDING)
        ]

    def set_status(self, egress_id: str, status: EgressStatus, *, error: str = "", code: int = 0) -> None:
        """Set by the control API; the webhook is sent. Raises TwirpError."""
        if egress_id not in self.recordings:
            raise TwirpError("not_found", "egress does not exist")
        self._change_to(self.recordings[egress_id], status, error=error, code=code)

    # changes of state

    def _track_published(self, room: OpenRoom) -> None:
        for recording in self._of(room):
            if recording.info.status == EgressStatus.EGRESS_STARTING and not recording.tasks:
                self._after_step(recording, lambda each=recording: self._become_active(each))  # type: ignore[misc]  # bound now

    def _room_closed(self, room: OpenRoom) -> None:
        for recording in self._of(room):
            if recording.info.status == EgressStatus.EGRESS_STARTING:
                self._abort(recording)
            elif recording.info.status == EgressStatus.EGRESS_ACTIVE:
                self._end(recording)

    def _become_active(self, recording: EgressRecording) -> None:
        is_waiting = recording.info.status == EgressStatus.EGRESS_STARTING
        if not is_waiting or "egress_never_starts" in recording.faults:
            return
        recording.active_at_s = self._clock.now_s
        identity = recording.info.egress_id
        if self._rooms.open.get(recording.room.name) is recording.room:
            hidden = TokenClaims(identity=identity, kind="egress", video={"canPublish": False})
            self._rooms.join(recording.room, hidden, ParticipantInfo.Kind.EGRESS)
            recording.room.info.active_recording = True
        self._change_to(recording, EgressStatus.EGRESS_ACTIVE)

    def _abort(self, recording: EgressRecording) -> None:
        if recording.info.status == EgressStatus.EGRESS_STARTING and "egress_never_starts" not in recording.faults:
            self._change_to(recording, EgressStatus.EGRESS_ABORTED, error="Start signal not received", code=412)

    def _end(self, recording: EgressRecording) -> None:
        was_active = recording.info.status == EgressStatus.EGRESS_ACTIVE
        self._change_to(recording, EgressStatus.EGRESS_ENDING)
        room, identity = recording.room, recording.info.egress_id
        if identity in room.participants:
            self._rooms.leave(room, identity, DisconnectReason.CLIENT_INITIATED)
        room.info.active_recording = any(each.info.status == EgressStatus.EGRESS_ACTIVE for each in self._of(room))
        if "egress_never_ends" not in recording.faults:
            task = asyncio.create_task(self._finish(recording, was_active=was_active))
            recording.tasks.add(task)
            task.add_done_callback(recording.tasks.discard)

    async def _finish(self, recording: EgressRecording, *, was_active: bool) -> None:
        await asyncio.sleep(self._step_s)
        if not was_active:
            self._change_to(
                recording, EgressStatus.EGRESS_ABORTED, error="Stop called before pipeline could start", code=412
            )
            return
        if "egress_fails" in recording.faults:
            self._change_to(recording, EgressStatus.EGRESS_FAILED, error="upload failed: AccessDenied", code=500)
            return
        duration_s = self._clock.now_s - recording.active_at_s
        if "egress_no_file" not in recording.faults:
            try:
                await self._write(recording, duration_s)
            except UploadFailed as exc:
                self._change_to(recording, EgressStatus.EGRESS_FAILED, error=f"upload failed: {exc}", code=500)
                return
        self._change_to(recording, EgressStatus.EGRESS_COMPLETE)

    async def _write(self, recording: EgressRecording, duration_s: float) -> None:
        extension = EXTENSIONS[recording.output.file_type]
        audio_s = min(duration_s, _MAX_AUDIO_S)
        content = mp4(audio_s) if extension == ".mp4" else ogg(audio_s)
        name = file_name(recording.output.filepath, recording.info, extension)
        location = await store(content, name=name, output=recording.output, directory=self._directory)
        now_ns = time.time_ns()
        recording.info.file_results.add(
            filename=name,
            location=location,
            size=len(content),
            duration=int(duration_s * 1e9),
            started_at=now_ns - int(duration_s * 1e9),
            ended_at=now_ns,
        )

    def _change_to(self, recording: EgressRecording, status: EgressStatus, *, error: str = "", code: int = 0) -> None:
        info = recording.info
        info.status, info.updated_at = status, time.time_ns()
        info.error, info.error_code = error, code
        is_over = status > EgressStatus.EGRESS_ENDING
        if is_over:
            info.ended_at = info.updated_at
        if recording.timer and status != EgressStatus.EGRESS_STARTING:
            recording.timer.cancel()
        self._send_event(recording, "egress_ended" if is_over else "egress_updated")

    def _send_event(self, recording: EgressRecording, event: str) -> None:
        # A partition key of its own: webhooks of a room and of a recording are not in order.
        key = recording.info.egress_id
        self._webhooks.emit(event, key=key, faults=recording.faults, egress_info=recording.info)

    def _of(self, room: OpenRoom) -> list[EgressRecording]:
        return [each for each in self.recordings.values() if each.room is room]

    def _after_step(self, recording: EgressRecording, act: Callable[[], None]) -> None:
        async def run() -> None:
            await asyncio.sleep(self._step_s)
            act()

        task = asyncio.create_task(run())
        recording.tasks.add(task)
        task.add_done_callback(recording.tasks.discard)
