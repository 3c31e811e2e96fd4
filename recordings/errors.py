"""Why a recording is not started, stopped or amended. What LiveKit refuses is a LiveKitError."""

from __future__ import annotations

from voiceapp.core.errors import ApplicationError

NO_RECORDER = "This LiveKit does not record: it runs without Redis and egress."


class NotConfigured(ApplicationError):
    """No LiveKit, or no bucket."""

    def __init__(self) -> None:
        super().__init__("LIVEKIT_* or LIVEKIT_RECORDING_BUCKET is not set on this server.")


class CallNotActive(ApplicationError):
    """It is not connected, or its room is not open."""


class AlreadyRecording(ApplicationError):
    """One recording of a call at a time."""

    def __init__(self) -> None:
        super().__init__("This call is being recorded. Stop that recording first.")


class NotRecording(ApplicationError):
    """Nothing runs that could be stopped."""


class NotRecorded(ApplicationError):
    """The call has no recording at all."""

    def __init__(self) -> None:
        super().__init__("This call was never recorded.")
