"""Stop the recording of a call, or amend what is stored of it."""

from __future__ import annotations

import structlog

from recordings import storage
from recordings.errors import NotConfigured, NotRecorded, NotRecording
from recordings.models import Recording
from recordings.sources.livekit import find_report, request_stop
from sessions.calls.models import Call
from sessions.messages.models import OutboxMessage
from voiceapp.providers.livekit.errors import LiveKitError, LiveKitErrorKind

from .reports import apply_report, close_recording

logger = structlog.get_logger("recordings")

State = Recording.State
UNKNOWN_TO_LIVEKIT = "LiveKit does not know this recording any more."


def stop_recording(call: Call) -> Recording:
    """The recording that ran; its file comes later. Raises NotRecording, NotConfigured and LiveKitError.

    One that LiveKit has not accepted yet is stopped as soon as LiveKit's response arrives.
    """
    recording = call.recordings.filter(state__in=(State.STARTING, State.RECORDING)).first()
    if recording is None:
        raise NotRecording
    if not storage.is_configured():
        raise NotConfigured
    unaccepted = Recording.objects.filter(pk=recording.pk, external_id__isnull=True, state=State.STARTING)
    if not recording.external_id and unaccepted.update(state=State.STORING):
        recording.refresh_from_db()
        return recording
    recording.refresh_from_db()
    report = request_stop(recording.external_id) if recording.external_id else None
    if report is None:
        close_recording(recording, UNKNOWN_TO_LIVEKIT)
        raise NotRecording(UNKNOWN_TO_LIVEKIT)
    apply_report(report)
    recording.refresh_from_db()
    return recording


def stop_unwanted(message: OutboxMessage) -> None:
    """Stop one that was given up, if it runs. Raises LiveKitError.

    Without a recorder nothing runs; and once the call is over, its room is closed, which ends every recording of it,
    so that no further request is needed.
    """
    recording = Recording.objects.select_related("call").filter(pk=message.body["recording"]).first()
    if recording is None:
        return
    try:
        report = find_report(recording)
        if report is None or report.is_over:
            return
        stopped = request_stop(report.external_id)
    except LiveKitError as error:
        is_live = Call.objects.live().filter(pk=recording.call_id).exists()
        if is_live and error.kind is not LiveKitErrorKind.NO_RECORDER:
            raise
        logger.info("recording ends with its room", call_id=str(recording.call_id), reason=error.kind.value)
        return
    if stopped:
        apply_report(stopped)


def amend_recording(call: Call, *, transcript: str | None = None, url: str | None = None) -> Recording:
    """Of the call's newest recording; None leaves a value as it is. Raises NotRecorded."""
    recording = call.recordings.first()
    if recording is None:
        raise NotRecorded
    changes = {name: value for name, value in (("transcript", transcript), ("url", url)) if value is not None}
    Recording.objects.filter(pk=recording.pk).update(**changes)
    recording.refresh_from_db()
    return recording
