"""Starts a recording: the row first, then LiveKit, and nothing half-done when that fails."""

from __future__ import annotations

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone

from recordings import storage
from recordings.errors import AlreadyRecording, CallNotActive, NotConfigured
from recordings.models import Recording
from recordings.sources.livekit import ask_to_start, ask_to_stop
from sessions.calls.models import Call, CallState
from sessions.calls.services import record_event
from voiceapp.providers.livekit.errors import LiveKitError, LiveKitErrorKind
from voiceapp.providers.livekit.values import RoomRecording

from .events import LONGEST_ERROR, name_recording, promise_to_undo, recording_changed

logger = structlog.get_logger("recordings")

Status = Recording.Status
MAY_HAVE_BEGUN = (LiveKitErrorKind.AWAY, LiveKitErrorKind.SLOW)


def start_recording(call: Call, *, file_type: str = Recording.FileType.MP4, label: str = "") -> Recording:
    """Raises NotConfigured, CallNotActive, AlreadyRecording and LiveKitError. `label` as in storage.LABEL."""
    if call.state != CallState.CONNECTED:
        raise CallNotActive("Only a call that is connected can be recorded.")
    if not storage.is_configured():
        raise NotConfigured
    try:
        with transaction.atomic():
            recording = new_recording(call, file_type=file_type, label=label)
    except IntegrityError as exc:
        raise AlreadyRecording from exc
    try:
        fact = ask_to_start(recording)
    except LiveKitError as error:
        if _give_up(recording, error):
            if error.kind is LiveKitErrorKind.NOT_FOUND:
                raise CallNotActive("The call's room is not open.") from error
            raise
        # A webhook was faster than the lost answer: it runs.
        recording.refresh_from_db()
        return recording
    return taken_on(recording, fact)


def new_recording(call: Call, *, file_type: str, label: str = "", is_automatic: bool = False) -> Recording:
    """Raises IntegrityError if one is in progress."""
    return Recording.objects.create(
        call=call,
        file_type=file_type,
        label=label,
        bucket=storage.bucket(),
        key=storage.new_key(call, file_type),
        is_automatic=is_automatic,
    )


def taken_on(recording: Recording, fact: RoomRecording) -> Recording:
    """LiveKit said yes. If somebody asked to stop it meanwhile, it is stopped."""
    name_recording(recording, fact.egress_id)
    recording_changed(fact)
    recording.refresh_from_db()
    logger.info("recording started", call_id=str(recording.call_id), egress_id=recording.egress_id)
    if recording.status == Status.ENDING and recording.told_at is None:
        stopped = ask_to_stop(fact.egress_id)
        if stopped:
            recording_changed(stopped)
        recording.refresh_from_db()
    return recording


def _give_up(recording: Recording, error: LiveKitError) -> bool:
    """False if LiveKit has told meanwhile that it runs."""
    unanswered = Recording.objects.filter(
        pk=recording.pk, egress_id__isnull=True, status__in=(Status.STARTING, Status.ENDING)
    )
    with transaction.atomic():
        if not unanswered.update(status=Status.FAILED, error=str(error)[:LONGEST_ERROR], ended_at=timezone.now()):
            return False
        record_event(recording.call_id, "recording_failed", {"reason": error.kind.value})
        if error.kind in MAY_HAVE_BEGUN:
            promise_to_undo(recording)
    logger.warning("recording not started", call_id=str(recording.call_id), reason=error.kind.value)
    return True
