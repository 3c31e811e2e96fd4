"""Starts and stops a recording at its source, where we can, and looks it up there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from recordings.models import Recording
from voiceapp.providers.errors import ProviderError
from voiceapp.providers.livekit.errors import LiveKitError, LiveKitErrorKind
from voiceapp.providers.twilio.recordings import NotRecordable

from . import livekit, room_agent, twilio, vapi
from .report import RecordingReport

MAY_HAVE_STARTED = (LiveKitErrorKind.UNAVAILABLE, LiveKitErrorKind.TIMEOUT)


@dataclass(frozen=True, slots=True)
class SourceControl:
    """Each function raises ProviderError.

    `start`: if it raises, the recording may have started all the same (`may_have_started`). `stop` takes the source's
    id as well, which the row may not have yet, and returns the state afterwards; None if the source does not know it.
    """

    start: Callable[[Recording], RecordingReport]
    stop: Callable[[Recording, str], RecordingReport | None]


# VAPI records a whole call or nothing of it.
CONTROLS: Mapping[str, SourceControl] = {
    Recording.Source.LIVEKIT_EGRESS: SourceControl(livekit.request_start, livekit.request_stop),
    Recording.Source.TWILIO: SourceControl(twilio.request_start, twilio.request_stop),
    Recording.Source.ROOM_AGENT: SourceControl(room_agent.request_start, room_agent.request_stop),
}
FINDERS: Mapping[str, Callable[[Recording], RecordingReport | None]] = {
    Recording.Source.LIVEKIT_EGRESS: livekit.find_report,
    Recording.Source.TWILIO: twilio.find_report,
    Recording.Source.VAPI: vapi.find_report,
    Recording.Source.ROOM_AGENT: room_agent.find_report,
}


def request_start(recording: Recording) -> RecordingReport:
    return CONTROLS[recording.source].start(recording)


def request_stop(recording: Recording, external_id: str) -> RecordingReport | None:
    """None also of a source that cannot be stopped."""
    control = CONTROLS.get(recording.source)
    return control.stop(recording, external_id) if control else None


def find_report(recording: Recording) -> RecordingReport | None:
    """What the source knows of it, by its id or, without one, by its call. Raises ProviderError."""
    return FINDERS[recording.source](recording)


def may_have_started(error: ProviderError) -> bool:
    """Whether the source may record although its response was lost."""
    return error.kind in MAY_HAVE_STARTED if isinstance(error, LiveKitError) else not error.permanent


def has_no_call(error: ProviderError) -> bool:
    """Whether the source says that there is nothing to record: no room, or no call in progress."""
    return isinstance(error, NotRecordable) or (
        isinstance(error, LiveKitError) and error.kind is LiveKitErrorKind.NOT_FOUND
    )


def has_no_recorder(error: ProviderError) -> bool:
    """Whether LiveKit runs without a recorder, so that nothing is recorded."""
    return isinstance(error, LiveKitError) and error.kind is LiveKitErrorKind.NO_RECORDER


def reason_of(error: ProviderError) -> str:
    """For the timeline and the log."""
    return error.kind.value if isinstance(error, LiveKitError) else str(error)
