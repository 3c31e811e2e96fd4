"""Everything that is written of recordings."""

from recordings.storage import is_configured

from .amending import amend_recording
from .facts import recording_changed
from .reconciling import reconcile_recording, reconcile_recordings, recordings_to_reconcile
from .refusals import AlreadyRecording, CallNotActive, NotConfigured, NotRecorded, NotRecording
from .starting import start_recording
from .stopping import stop_recording
from .wanted import start_wanted_recording

__all__ = [
    "AlreadyRecording",
    "CallNotActive",
    "NotConfigured",
    "NotRecorded",
    "NotRecording",
    "amend_recording",
    "is_configured",
    "reconcile_recording",
    "reconcile_recordings",
    "recording_changed",
    "recordings_to_reconcile",
    "start_recording",
    "start_wanted_recording",
    "stop_recording",
]
