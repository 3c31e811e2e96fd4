"""Delete a recording everywhere: the audio here and at the provider that made it, what is enqueued, and the row."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q

from recordings.files import delete_file
from recordings.finishing.services import key_of_jobs
from recordings.models import Recording
from recordings.sources.registry import source_of
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
        key = key_of_jobs(recording.pk)
        OutboxMessage.objects.filter(Q(about=key) | Q(topic__startswith="recording.", partition_key=key)).delete()
        if Recording.objects.filter(pk=recording.pk).delete()[0]:
            record_event(recording.call_id, "recording_deleted", {"why": why})
    logger.info("recording deleted", call_id=str(recording.call_id), why=why)


def delete_audio(recording: Recording) -> None:
    """Here and at its source, also where it is gone already. Raises ProviderError."""
    source, is_reachable = source_of(recording), IS_REACHABLE.get(recording.source)
    if source is not None and (is_reachable is None or (recording.external_id and is_reachable())):
        source.delete(recording)
    delete_file(recording)


# Without an account there, nothing can be deleted any more.
IS_REACHABLE: Mapping[str, Callable[[], bool]] = {
    Recording.Source.TWILIO: lambda: bool(settings.TWILIO_ACCOUNT_SID and settings.TWILIO_AUTH_TOKEN),
    Recording.Source.VAPI: lambda: bool(settings.VAPI_API_KEY),
}
