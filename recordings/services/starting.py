"""Start a recording: the row first, then the request to the source, and nothing half-done when that fails."""

from __future__ import annotations

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone

from agents.configuration.models import Persona
from recordings import storage
from recordings.errors import AlreadyRecording, CallNotActive, NotConfigured, RecordingDeclined
from recordings.models import Recording
from recordings.sources.control import has_no_call, may_have_started, reason_of, request_start, request_stop
from recordings.sources.report import RecordingReport
from recordings.sources.room_agent import has_agent
from sessions.calls.models import Call, CallState
from sessions.calls.services import record_event
from sessions.rooms.queries import recorder_of
from voiceapp.providers.errors import ProviderError

from .declining import delete_late_start, lock_call
from .reports import LONGEST_ERROR, apply_report, enqueue_stop, set_external_id

logger = structlog.get_logger("recordings")

State = Recording.State
NO_AGENT = "The agent of the room records this call, and there is none in it."


def start_recording(call: Call, *, file_type: str = Recording.FileType.MP4, label: str = "") -> Recording:
    """Record a call in a room, by whom its agent names. `label` as in storage.LABEL.

    Raises NotConfigured, CallNotActive, AlreadyRecording, RecordingDeclined and ProviderError.
    """
    if call.state != CallState.CONNECTED:
        raise CallNotActive
    source = source_of_room(call)
    if source == Recording.Source.LIVEKIT_EGRESS and not storage.is_configured():
        raise NotConfigured
    try:
        with transaction.atomic():
            recording = create_recording(call, source=source, file_type=file_type, label=label)
            if source == Recording.Source.ROOM_AGENT and not has_agent(recording):
                raise NotConfigured(NO_AGENT)
    except IntegrityError as exc:
        raise AlreadyRecording from exc
    try:
        report = request_start(recording)
    except ProviderError as error:
        if _give_up(recording, error):
            if has_no_call(error):
                raise CallNotActive("The call's room is not open.") from error
            raise
        # A webhook was faster than the lost response: it runs.
        recording.refresh_from_db()
        return recording
    return accept_start(recording, report)


def source_of_room(call: Call) -> Recording.Source:
    """Who records a call in a room when that is requested, whether or not its agent's calls usually are."""
    if recorder_of(call) is Persona.RoomRecordedBy.AGENT:
        return Recording.Source.ROOM_AGENT
    return Recording.Source.LIVEKIT_EGRESS


def create_recording(
    call: Call,
    *,
    source: Recording.Source = Recording.Source.LIVEKIT_EGRESS,
    file_type: str,
    label: str = "",
    is_automatic: bool = False,
) -> Recording:
    """In the caller's transaction. Raises RecordingDeclined, and IntegrityError if one is in progress.

    Only LiveKit's egress stores its file itself, under our name.
    """
    if lock_call(call.pk).recording_declined_at is not None:
        raise RecordingDeclined
    stores_itself = source == Recording.Source.LIVEKIT_EGRESS
    return Recording.objects.create(
        call=call,
        source=source,
        file_type=file_type if stores_itself else Recording.FileType.OGG,
        label=label,
        bucket=storage.bucket() if stores_itself else "",
        key=storage.new_key(call, file_type) if stores_itself else "",
        is_automatic=is_automatic,
    )


def accept_start(recording: Recording, report: RecordingReport) -> Recording:
    """The source has started it. If it was stopped meanwhile, it is stopped at the source as well."""
    set_external_id(recording, report.external_id)
    apply_report(report)
    delete_late_start(recording.pk)
    recording.refresh_from_db()
    logger.info("recording started", call_id=str(recording.call_id), external_id=recording.external_id)
    if recording.state == State.STORING and recording.reported_at is None:
        stopped = request_stop(recording, report.external_id)
        if stopped:
            apply_report(stopped)
        recording.refresh_from_db()
    return recording


def _give_up(recording: Recording, error: ProviderError) -> bool:
    """False if the source has reported meanwhile that it runs."""
    unaccepted = Recording.objects.filter(
        pk=recording.pk, external_id__isnull=True, state__in=(State.STARTING, State.STORING)
    )
    with transaction.atomic():
        if not unaccepted.update(state=State.FAILED, error=str(error)[:LONGEST_ERROR], ended_at=timezone.now()):
            return False
        record_event(recording.call_id, "recording_failed", {"reason": reason_of(error)})
        if may_have_started(error):
            enqueue_stop(recording)
    logger.warning("recording not started", call_id=str(recording.call_id), reason=reason_of(error))
    return True
