"""The questions that several services put to LiveKit about one recording."""

from __future__ import annotations

from recordings.models import Recording
from recordings.storage import storage
from voiceapp.core.transactions import give_back_connections
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.providers.livekit.errors import LiveKitError, LiveKitErrorKind
from voiceapp.providers.livekit.values import RoomRecording

OVER_KINDS = (LiveKitErrorKind.ALREADY_OVER, LiveKitErrorKind.NOT_FOUND)


def ask_to_start(recording: Recording) -> RoomRecording:
    """Raises LiveKitError; after AWAY and SLOW it may have begun all the same."""
    give_back_connections()
    return LiveKitClient.from_settings().start_room_recording(
        room_of(recording),
        filepath=recording.key,
        file_type="ogg" if recording.file_type == Recording.FileType.OGG else "mp4",
        storage=storage(),
    )


def ask_to_stop(egress_id: str) -> RoomRecording | None:
    """How it stands then, also if it was over already; None if LiveKit does not know it."""
    give_back_connections()
    client = LiveKitClient.from_settings()
    try:
        return client.stop_recording(egress_id)
    except LiveKitError as error:
        if error.kind not in OVER_KINDS:
            raise
    return client.find_recording(egress_id)


def look_for(recording: Recording) -> RoomRecording | None:
    """What LiveKit knows of it: by its id or, while that is unknown to us, by the file that was asked for."""
    give_back_connections()
    client = LiveKitClient.from_settings()
    if recording.egress_id:
        return client.find_recording(recording.egress_id)
    of_room = client.list_recordings(room_of(recording))
    return next((fact for fact in of_room if fact.asked_path == recording.key), None)


def running_in_livekit() -> tuple[RoomRecording, ...]:
    """All that are not over, of whichever room."""
    give_back_connections()
    return LiveKitClient.from_settings().list_recordings(is_active=True)


def room_of(recording: Recording) -> str:
    return recording.call.room_name or ""
