"""Calls that are to be recorded from the beginning: once each, tried until LiveKit takes it on or the call is over.

A LiveKit without a recorder is not asked again, and nothing is tried for a call that is over: its room is closed, which
ends whatever may have begun without our hearing of it.
"""

from __future__ import annotations

import datetime as dt

from django.db import IntegrityError, transaction
from django.utils import timezone

from recordings import storage
from recordings.errors import NO_RECORDER
from recordings.models import Recording
from recordings.sources.livekit import ask_to_start, look_for
from sessions.calls.models import Call
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import emit
from voiceapp.providers.livekit.errors import LiveKitError, LiveKitErrorKind

from .events import UNDO, lose
from .starting import new_recording, taken_on

Status = Recording.Status

START = "recording.start"
OVER = "The call was over before it began."
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
    """Ask LiveKit to record. Raises LiveKitError, after which it is tried again unless that is hopeless."""
    waiting = Recording.objects.filter(egress_id__isnull=True, status__in=Recording.IN_PROGRESS)
    recording = waiting.select_related("call__organization").filter(pk=message.body["recording"]).first()
    if recording is None:
        return
    try:
        _start(recording, is_first_try=message.attempts <= 1)
    except LiveKitError as error:
        if error.kind is LiveKitErrorKind.NO_RECORDER:
            lose(recording, NO_RECORDER)
            return
        if _is_over(recording):
            lose(recording, OVER)
            return
        if error.permanent or recording.created_at < timezone.now() - TRY_FOR:
            lose(recording, str(error))
        raise


def _start(recording: Recording, *, is_first_try: bool) -> None:
    """Raises LiveKitError."""
    # An earlier try may have succeeded without our hearing of it.
    fact = None if is_first_try else look_for(recording)
    if fact:
        taken_on(recording, fact)
    elif recording.status == Status.ENDING:
        lose(recording, "It was stopped before it began.", status=Status.ABORTED)
    elif _is_over(recording):
        lose(recording, OVER)
    else:
        taken_on(recording, ask_to_start(recording))


def _is_over(recording: Recording) -> bool:
    """Whether its call is, by now."""
    return not Call.objects.live().filter(pk=recording.call_id).exists()


MOST_AT_ONCE = 200


def hurry_what_outlived_its_call() -> int:
    """Make due now what would be tried later for a call that is over: its handler ends it. How many there were."""
    now = timezone.now()
    later = OutboxMessage.objects.filter(topic__in=(START, UNDO), state=OutboxMessage.State.WAITING, due_at__gt=now)
    by_recording = {message.body.get("recording"): message.pk for message in later.order_by("id")[:MOST_AT_ONCE]}
    outlived = Recording.objects.filter(pk__in=by_recording).exclude(call__in=Call.objects.live())
    ids = [by_recording[pk] for pk in outlived.values_list("pk", flat=True)]
    return OutboxMessage.objects.filter(pk__in=ids, state=OutboxMessage.State.WAITING).update(due_at=now)
