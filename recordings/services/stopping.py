"""Stop the recording of a call, or amend what is stored of it."""

from __future__ import annotations

import structlog
from django.db import transaction

from recordings import storage
from recordings.errors import NotConfigured, NotRecorded, NotRecording
from recordings.lines import keep_text
from recordings.models import Recording
from recordings.sources.control import CONTROLS, find_report, has_no_recorder, reason_of, request_stop
from sessions.calls.models import Call
from sessions.messages.models import OutboxMessage
from voiceapp.providers.errors import ProviderError

from .reports import apply_report, close_recording

logger = structlog.get_logger("recordings")

State = Recording.State


def unknown_at_source(recording: Recording) -> str:
    """Why it failed: a sentence."""
    return f"{recording.get_source_display()} does not know this recording any more."


def stop_recording(call: Call) -> Recording:
    """The recording that ran; its file comes later. Raises NotRecording, NotConfigured and ProviderError.

    One that its source has not accepted yet is stopped as soon as the source's response arrives.
    """
    recording = call.recordings.filter(state__in=(State.STARTING, State.RECORDING)).select_related("call").first()
    if recording is None:
        raise NotRecording
    if recording.source not in CONTROLS:
        raise NotRecording(f"{recording.get_source_display()} records this call to its end.")
    if recording.source == Recording.Source.LIVEKIT_EGRESS and not storage.is_configured():
        raise NotConfigured
    unaccepted = Recording.objects.filter(pk=recording.pk, external_id__isnull=True, state=State.STARTING)
    if not recording.external_id and unaccepted.update(state=State.STORING):
        recording.refresh_from_db()
        return recording
    recording.refresh_from_db()
    report = request_stop(recording, recording.external_id) if recording.external_id else None
    if report is None:
        close_recording(recording, unknown_at_source(recording))
        raise NotRecording(unknown_at_source(recording))
    apply_report(report)
    recording.refresh_from_db()
    return recording


def stop_unwanted(message: OutboxMessage) -> None:
    """Stop one that was given up, if it runs. Raises ProviderError.

    Without a recorder nothing runs; and once the call is over, every recording of it ends, so that no further request
    is needed.
    """
    recording = Recording.objects.select_related("call").filter(pk=message.body["recording"]).first()
    if recording is None:
        return
    try:
        report = find_report(recording)
        if report is None or report.is_over:
            return
        stopped = request_stop(recording, report.external_id)
    except ProviderError as error:
        is_live = Call.objects.live().filter(pk=recording.call_id).exists()
        if is_live and not has_no_recorder(error):
            raise
        logger.info("recording ends with its call", call_id=str(recording.call_id), reason=reason_of(error))
        return
    if stopped:
        apply_report(stopped)


def amend_recording(call: Call, *, transcript: str | None = None, url: str | None = None) -> Recording:
    """Of the call's newest recording; None leaves a value as it is. Raises NotRecorded."""
    recording = call.recordings.first()
    if recording is None:
        raise NotRecorded
    changes = {name: value for name, value in (("transcript", transcript), ("url", url)) if value is not None}
    with transaction.atomic():
        Recording.objects.filter(pk=recording.pk).update(**changes)
        if transcript is not None:
            keep_text(recording, transcript)
    recording.refresh_from_db()
    return recording
