"""What is said of a recording from outside: its words, and another place where it is kept."""

from __future__ import annotations

from recordings.models import Recording
from sessions.models import Call

from .refusals import NotRecorded


def amend_recording(call: Call, *, transcript: str | None = None, url: str | None = None) -> Recording:
    """Of the call's newest recording; None leaves a value as it is. Raises NotRecorded."""
    recording = call.recordings.first()
    if recording is None:
        raise NotRecorded
    changes = {name: value for name, value in (("transcript", transcript), ("url", url)) if value is not None}
    Recording.objects.filter(pk=recording.pk).update(**changes)
    recording.refresh_from_db()
    return recording
