"""Delete a recording everywhere: the audio here and at the provider that made it, what is enqueued, and the row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import structlog
from django.conf import settings
from django.db import transaction

from recordings.files import delete_file
from recordings.finishing.services import key_of_jobs
from recordings.models import Recording
from recordings.sources import room_agent, twilio, vapi
from sessions.calls.services import record_event
from sessions.messages.models import OutboxMessage
from voiceapp.core.transactions import release_connections

logger = structlog.get_logger("recordings")


def delete_recording(recording: Recording, *, why: str) -> None:
    """The audio before the row that names it, so that a run that dies leaves nothing unnamed. Safe to repeat.

    `why` stands in the call's timeline. Raises ProviderError.
    """
    release_connections()
    delete_audio(recording)
    with transaction.atomic():
        OutboxMessage.objects.filter(topic__startswith="recording.", partition_key=key_of_jobs(recording.pk)).delete()
        if Recording.objects.filter(pk=recording.pk).delete()[0]:
            record_event(recording.call_id, "recording_deleted", {"why": why})
    logger.info("recording deleted", call_id=str(recording.call_id), why=why)


def delete_audio(recording: Recording) -> None:
    """Here and at its source, also where it is gone already. Raises ProviderError."""
    if at_source := AT_SOURCE.get(recording.source):
        at_source(recording)
    delete_file(recording)


def _delete_at_twilio(recording: Recording) -> None:
    if recording.external_id and settings.TWILIO_ACCOUNT_SID and settings.TWILIO_AUTH_TOKEN:
        twilio.delete_at_source(recording)


def _delete_at_vapi(recording: Recording) -> None:
    if recording.external_id and settings.VAPI_API_KEY:
        vapi.delete_at_source(recording)


def _delete_spool(recording: Recording) -> None:
    """What the bridge wrote as the call went on, if it was not finished. Its name is ours."""
    name = recording.external_id or ""
    if name.replace("-", "").isalnum():
        for path in Path(settings.RECORDINGS_DIR, "spool").glob(f"{name}.*"):
            path.unlink(missing_ok=True)


AT_SOURCE: Mapping[str, Callable[[Recording], None]] = {
    Recording.Source.TWILIO: _delete_at_twilio,
    Recording.Source.VAPI: _delete_at_vapi,
    Recording.Source.ROOM_AGENT: room_agent.forget,
    Recording.Source.BRIDGE: _delete_spool,
}
