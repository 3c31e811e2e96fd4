"""LiveKit egress as a source of recordings: requests about one recording, and LiveKit's statuses in our terms."""

from __future__ import annotations

from recordings.models import Recording
from recordings.storage import storage
from voiceapp.core.transactions import release_connections
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.providers.livekit.errors import LiveKitError, LiveKitErrorKind
from voiceapp.providers.livekit.values import EgressStatus, RoomRecording

from .report import RecordingReport, State

OVER_KINDS = (LiveKitErrorKind.ALREADY_ENDED, LiveKitErrorKind.NOT_FOUND)
STATES = {
    EgressStatus.STARTING: State.STARTING,
    EgressStatus.ACTIVE: State.RECORDING,
    EgressStatus.ENDING: State.STORING,
    EgressStatus.COMPLETE: State.STORED,
    EgressStatus.LIMIT_REACHED: State.CUT_SHORT,
    EgressStatus.ABORTED: State.CANCELED,
    EgressStatus.FAILED: State.FAILED,
}


def report_of(egress: RoomRecording) -> RecordingReport:
    """An egress of LiveKit's, from a response or a webhook, in our terms."""
    file = egress.file
    return RecordingReport(
        source=Recording.Source.LIVEKIT_EGRESS,
        external_id=egress.egress_id,
        state=STATES.get(egress.status),
        key=egress.requested_path,
        started_at=egress.started_at,
        reported_at=egress.updated_at,
        ended_at=egress.ended_at,
        error=egress.error,
        size_bytes=file.size_bytes if file else None,
        duration_ms=file.duration_ms if file else None,
    )


def request_start(recording: Recording) -> RecordingReport:
    """Raises LiveKitError; after AWAY and SLOW it may have started all the same."""
    release_connections()
    egress = LiveKitClient.from_settings().start_room_recording(
        room_of(recording),
        filepath=recording.key,
        file_type="ogg" if recording.file_type == Recording.FileType.OGG else "mp4",
        storage=storage(),
    )
    return report_of(egress)


def request_stop(recording: Recording, external_id: str) -> RecordingReport | None:
    """Its state afterwards, also if it was over already; None if LiveKit does not know it. Raises LiveKitError."""
    release_connections()
    client = LiveKitClient.from_settings()
    try:
        return report_of(client.stop_recording(external_id))
    except LiveKitError as error:
        if error.kind not in OVER_KINDS:
            raise
    egress = client.find_recording(external_id)
    return report_of(egress) if egress else None


def find_report(recording: Recording) -> RecordingReport | None:
    """What LiveKit knows of it: by its id or, while we do not have it, by the file that was requested."""
    release_connections()
    client = LiveKitClient.from_settings()
    if recording.external_id:
        egress = client.find_recording(recording.external_id)
    else:
        of_room = client.list_recordings(room_of(recording))
        egress = next((each for each in of_room if each.requested_path == recording.key), None)
    return report_of(egress) if egress else None


def list_running() -> tuple[RecordingReport, ...]:
    """All that are not over, of every room."""
    release_connections()
    return tuple(map(report_of, LiveKitClient.from_settings().list_recordings(is_active=True)))


def room_of(recording: Recording) -> str:
    return recording.call.room_name or ""
