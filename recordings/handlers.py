"""Who keeps the promises of the outbox about recordings."""

from __future__ import annotations

import structlog

from recordings.models import Recording
from recordings.services.automatic import START, start_promised
from recordings.services.events import UNDO, recording_changed
from recordings.sources.livekit import ask_to_stop, look_for
from sessions.calls.models import Call
from sessions.messages import outbox
from sessions.messages.models import OutboxMessage
from voiceapp.providers.livekit.errors import LiveKitError, LiveKitErrorKind

logger = structlog.get_logger("recordings")


def register_all() -> None:
    """Called once, when the app is ready."""
    outbox.register(START, start_promised)
    outbox.register(UNDO, undo)


def undo(message: OutboxMessage) -> None:
    """Stop it if it runs. Raises LiveKitError.

    Where there is no recorder nothing runs; and once the call is over, its room is closed, which ends every recording
    of it, so that LiveKit is not asked again.
    """
    recording = Recording.objects.select_related("call").filter(pk=message.body["recording"]).first()
    if recording is None:
        return
    try:
        _stop(recording)
    except LiveKitError as error:
        is_live = Call.objects.live().filter(pk=recording.call_id).exists()
        if is_live and error.kind is not LiveKitErrorKind.NO_RECORDER:
            raise
        logger.info("recording left to its room", call_id=str(recording.call_id), reason=error.kind.value)


def _stop(recording: Recording) -> None:
    fact = look_for(recording)
    if fact is None or fact.is_over:
        return
    stopped = ask_to_stop(fact.egress_id)
    if stopped:
        recording_changed(stopped)
