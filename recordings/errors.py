"""Why a recording is not started, stopped or updated. LiveKit's own failures are LiveKitErrors."""

from __future__ import annotations

from voiceapp.core.errors import ApplicationError

NO_RECORDER = "This LiveKit does not record: it runs without Redis and egress."


class NotConfigured(ApplicationError):
    """No LiveKit, or no bucket."""

    message = "LIVEKIT_* or LIVEKIT_RECORDING_BUCKET is not set on this server."


class CallNotActive(ApplicationError):
    """It is not connected, or its room is not open."""

    message = "Only a call that is connected can be recorded."


class AlreadyRecording(ApplicationError):
    """One recording of a call at a time."""

    message = "This call is being recorded. Stop that recording first."


class RecordingDeclined(ApplicationError):
    """Nothing records this call any more."""

    message = "The caller does not want this call to be recorded."


class NotRecording(ApplicationError):
    """Nothing runs that could be stopped."""

    message = "This call is not being recorded."


class NotRecorded(ApplicationError):
    """The call has no recording at all."""

    message = "This call was never recorded."
