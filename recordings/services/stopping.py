"""Stops the recording of a call."""

from __future__ import annotations

from recordings import storage
from recordings.errors import NotConfigured, NotRecorded, NotRecording
from recordings.models import Recording
from recordings.sources.livekit import ask_to_stop
from sessions.calls.models import Call

from .events import lose, recording_changed

Status = Recording.Status
FORGOTTEN = "LiveKit does not know this recording any more."


def stop_recording(call: Call) -> Recording:
    """The recording that ran; its file comes later. Raises NotRecording, NotConfigured and LiveKitError.

    One that LiveKit has not taken on yet is stopped by whoever gets LiveKit's answer.
    """
    recording = call.recordings.filter(status__in=(Status.STARTING, Status.ACTIVE)).first()
    if recording is None:
        raise NotRecording("This call is not being recorded.")
    if not storage.is_configured():
        raise NotConfigured
    unanswered = Recording.objects.filter(pk=recording.pk, egress_id__isnull=True, status=Status.STARTING)
    if not recording.egress_id and unanswered.update(status=Status.ENDING):
        recording.refresh_from_db()
        return recording
    recording.refresh_from_db()
    fact = ask_to_stop(recording.egress_id) if recording.egress_id else None
    if fact is None:
        lose(recording, FORGOTTEN)
        raise NotRecording(FORGOTTEN)
    recording_changed(fact)
    recording.refresh_from_db()
    return recording


def amend_recording(call: Call, *, transcript: str | None = None, url: str | None = None) -> Recording:
    """Of the call's newest recording; None leaves a value as it is. Raises NotRecorded."""
    recording = call.recordings.first()
    if recording is None:
        raise NotRecorded
    changes = {name: value for name, value in (("transcript", transcript), ("url", url)) if value is not None}
    Recording.objects.filter(pk=recording.pk).update(**changes)
    recording.refresh_from_db()
    return recording
