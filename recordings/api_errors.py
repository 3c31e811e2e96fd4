"""How it reads in the API when a recording is not started, stopped or amended."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from sessions.rooms.api.room_view import livekit_refusal
from voiceapp.core.api.errors import ApiError, wait_of
from voiceapp.core.errors import ApplicationError
from voiceapp.providers.aws.client import AwsError
from voiceapp.providers.livekit.errors import LiveKitError, LiveKitErrorKind

from .errors import NO_RECORDER, AlreadyRecording, CallNotActive, NotConfigured, NotRecorded, NotRecording

REFUSALS: dict[type[ApplicationError], tuple[int, str]] = {
    CallNotActive: (400, "Call not active"),
    NotRecording: (404, "No active recording"),
    NotRecorded: (404, "Recording not found"),
    AlreadyRecording: (409, "Recording already in progress"),
    NotConfigured: (503, "Recording service not configured"),
}


@contextlib.contextmanager
def refusing(title: str) -> Iterator[None]:
    """Turns what the services raise into the API's refusals; `title` is what LiveKit kept us from doing."""
    try:
        yield
    except tuple(REFUSALS) as refusal:
        status, words = REFUSALS[type(refusal)]
        raise ApiError(status, words, str(refusal)) from refusal
    except LiveKitError as error:
        if error.kind is LiveKitErrorKind.NO_RECORDER:
            status, words = REFUSALS[NotConfigured]
            raise ApiError(status, words, NO_RECORDER) from error
        raise livekit_refusal(error, title=title) from error
    except AwsError as error:
        raise ApiError(
            503, "Recording service unavailable", "No link to the file can be signed.", wait_s=wait_of(error)
        ) from error
