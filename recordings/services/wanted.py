"""Calls that are to be recorded from the beginning: once each, tried until LiveKit takes it on or the call is over."""

from __future__ import annotations

import datetime as dt

from django.db import IntegrityError, transaction
from django.utils import timezone

from recordings import storage
from recordings.models import Recording
from sessions.models import Call, OutboxMessage
from sessions.outbox import emit
from voiceapp.providers.livekit_errors import LiveKitError

from .asking import ask_to_start, look_for
from .facts import lose
from .starting import new_recording, taken_on

Status = Recording.Status

START = "recording.start"
TRY_FOR = dt.timedelta(minutes=10)


def start_wanted_recording(call: Call) -> Recording | None:
    """Promise it, at the room's first track. None if it is not wanted, not possible, or was begun before.

    However often and at once it is called, a call is recorded by itself once.
    """
    if not (call.is_recording_wanted and call.room_name and storage.is_configured()):
        return None
    try:
        with transaction.atomic():
            if call.recordings.exists() or not Call.objects.live().filter(pk=call.pk).exists():
                return None
            recording = new_recording(call, file_type=Recording.FileType.OGG, is_automatic=True)
            emit(
                START,
                key=f"recording:{recording.pk}",
                body={"recording": recording.pk},
                organization=call.organization,
            )
    except IntegrityError:
        return None
    return recording


def start_promised(message: OutboxMessage) -> None:
    """Keeps the promise. Raises LiveKitError, after which it is tried again unless that is hopeless."""
    waiting = Recording.objects.filter(egress_id__isnull=True, status__in=Recording.IN_PROGRESS)
    recording = waiting.select_related("call__organization").filter(pk=message.body["recording"]).first()
    if recording is None:
        return
    # An earlier try may have succeeded without our hearing of it.
    fact = look_for(recording) if message.attempts > 1 else None
    if fact:
        taken_on(recording, fact)
    elif recording.status == Status.ENDING:
        lose(recording, "It was stopped before it began.", status=Status.ABORTED)
    elif not recording.call.is_live:
        lose(recording, "The call was over before it began.")
    else:
        _try(recording)


def _try(recording: Recording) -> None:
    try:
        fact = ask_to_start(recording)
    except LiveKitError as error:
        if error.permanent or recording.created_at < timezone.now() - TRY_FOR:
            lose(recording, str(error))
        raise
    taken_on(recording, fact)
