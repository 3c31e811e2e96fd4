"""The errors of `/api/voice/recording`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

from sessions.rooms.api.errors import CHANGE_DENIED, SESSION_NOT_FOUND, livekit_error, not_done
from voiceapp.core.api.errors import Problem, raised_as, retry_after_of
from voiceapp.providers.aws.client import AwsError
from voiceapp.providers.errors import ProviderError
from voiceapp.providers.livekit.errors import LiveKitError, LiveKitErrorKind

from .errors import (
    NO_RECORDER,
    AlreadyRecording,
    CallNotActive,
    NotConfigured,
    NotRecorded,
    NotRecording,
    RecordingDeclined,
)

CALL_NOT_FOUND = replace(SESSION_NOT_FOUND, title="Call session not found")
LIST_DENIED = replace(CHANGE_DENIED, message="Only owners and managers of an organization list its recordings.")
NOTHING_TO_UPDATE = Problem(400, "Nothing to update", "Give transcript, recordingUrl or both.", malformed=True)
NO_ROOM = Problem(400, "Missing roomName", "Name the call's room in roomName, or set listAll.", malformed=True)
NOT_ALONE = Problem(400, "Bad Request", "listAll stands alone.", malformed=True)
CALL_NOT_ACTIVE = Problem(400, "Call not active", CallNotActive.message)
NO_ACTIVE_RECORDING = Problem(404, "No active recording", NotRecording.message)
NOT_RECORDED = Problem(404, "Recording not found", NotRecorded.message)
NO_SUCH_RECORDING = replace(NOT_RECORDED, message="This call has no such recording.")
ALREADY_RECORDING = Problem(409, "Recording already in progress", AlreadyRecording.message)
DECLINED = Problem(409, "Recording declined by the caller", RecordingDeclined.message)
NOT_CONFIGURED = Problem(503, "Recording service not configured", NotConfigured.message)
NOT_SIGNED = Problem(503, "Recording service unavailable", "No link to the file can be signed.")
NOT_AVAILABLE = replace(NOT_SIGNED, message="The source of the recording does not respond. Try again soon.")
NOT_STARTED = not_done("Failed to start recording")
NOT_READ = not_done("Failed to read recording")
NOT_UPDATED = not_done("Failed to update recording")
NOT_STOPPED = not_done("Failed to stop recording")

OF_SERVICES: dict[type[Exception], Problem] = {
    CallNotActive: CALL_NOT_ACTIVE,
    NotRecording: NO_ACTIVE_RECORDING,
    NotRecorded: NOT_RECORDED,
    AlreadyRecording: ALREADY_RECORDING,
    RecordingDeclined: DECLINED,
    NotConfigured: NOT_CONFIGURED,
}


@contextlib.contextmanager
def recording_errors(failed: Problem) -> Iterator[None]:
    """Raise ApiErrors in the place of what services and providers raise; `failed` is what LiveKit did not do."""
    try:
        with raised_as(OF_SERVICES):
            yield
    except LiveKitError as error:
        if error.kind is LiveKitErrorKind.NO_RECORDER:
            raise NOT_CONFIGURED.error(NO_RECORDER) from error
        raise livekit_error(error, failed=failed) from error
    except AwsError as error:
        raise NOT_SIGNED.error(retry_after_s=retry_after_of(error)) from error
    except ProviderError as error:
        raise NOT_AVAILABLE.error(retry_after_s=retry_after_of(error)) from error
