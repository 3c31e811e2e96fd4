"""Start a recording: the row first, then the request to the source, and nothing half-done when that fails."""

from __future__ import annotations

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone

from recordings import storage
from recordings.errors import AlreadyRecording, CallNotActive, NotConfigured
from recordings.models import Recording
from recordings.sources.livekit import request_start, request_stop
from recordings.sources.report import RecordingReport
from sessions.calls.models import Call, CallState
from sessions.calls.services import record_event
from voiceapp.providers.livekit.errors import LiveKitError, LiveKitErrorKind

from .reports import LONGEST_ERROR, apply_report, enqueue_stop, set_external_id

logger = structlog.get_logger("recordings")

State = Recording.State
MAY_HAVE_STARTED = (LiveKitErrorKind.UNAVAILABLE, LiveKitErrorKind.TIMEOUT)


def start_recording(call: Call, *, file_type: str = Recording.FileType.MP4, label: str = "") -> Recording:
    """Raises NotConfigured, CallNotActive, AlreadyRecording and LiveKitError. `label` as in storage.LABEL."""
    if call.state != CallState.CONNECTED:
        raise CallNotActive
    if not storage.is_configured():
        raise NotConfigured
    try:
        with transaction.atomic():
            recording = create_recording(call, file_type=file_type, label=label)
    except IntegrityError as exc:
        raise AlreadyRecording from exc
    try:
        report = request_start(recording)
    except LiveKitError as error:
        if _give_up(recording, error):
            if error.kind is LiveKitErrorKind.NOT_FOUND:
                raise CallNotActive("The call's room is not open.") from error
            raise
        # A webhook was faster than the lost response: it runs.
        recording.refresh_from_db()
        return recording
    return accept_start(recording, report)


def create_recording(call: Call, *, file_type: str, label: str = "", is_automatic: bool = False) -> Recording:
    """Raises IntegrityError if one is in progress."""
    return Recording.objects.create(
        call=call,
        file_type=file_type,
        label=label,
        bucket=storage.bucket(),
        key=storage.new_key(call, file_type),
        is_automatic=is_automatic,
    )


def accept_start(recording: Recording, report: RecordingReport) -> Recording:
    """The source has started it. If it was stopped meanwhile, it is stopped at the source as well."""
    set_external_id(recording, report.external_id)
    apply_report(report)
    recording.refresh_from_db()
    logger.info("recording started", call_id=str(recording.call_id), external_id=recording.external_id)
    if recording.state == State.STORING and recording.reported_at is None:
        stopped = request_stop(report.external_id)
        if stopped:
            apply_report(stopped)
        recording.refresh_from_db()
    return recording


def _give_up(recording: Recording, error: LiveKitError) -> bool:
    """False if the source has reported meanwhile that it runs."""
    unaccepted = Recording.objects.filter(
        pk=recording.pk, external_id__isnull=True, state__in=(State.STARTING, State.STORING)
    )
    with transaction.atomic():
        if not unaccepted.update(state=State.FAILED, error=str(error)[:LONGEST_ERROR], ended_at=timezone.now()):
            return False
        record_event(recording.call_id, "recording_failed", {"reason": error.kind.value})
        if error.kind in MAY_HAVE_STARTED:
            enqueue_stop(recording)
    logger.warning("recording not started", call_id=str(recording.call_id), reason=error.kind.value)
    return True
