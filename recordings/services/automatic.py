"""Calls that are recorded from the beginning: once each, retried until LiveKit accepts or the call is over.

A LiveKit without a recorder gets no further request, and nothing is retried for a call that is over: its room is
closed, which ends whatever may have started without our knowledge.
"""

from __future__ import annotations

import datetime as dt

from django.db import IntegrityError, transaction
from django.utils import timezone

from recordings import storage
from recordings.errors import NO_RECORDER
from recordings.models import Recording
from recordings.sources.livekit import find_report, request_start
from sessions.calls.models import Call
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from voiceapp.providers.livekit.errors import LiveKitError, LiveKitErrorKind

from .reports import STOP, close_recording
from .starting import accept_start, create_recording

State = Recording.State

START = "recording.start"
OVER = "The call was over before it began."
RETRY_FOR = dt.timedelta(minutes=10)
MOST_AT_ONCE = 200


def enqueue_automatic_recording(call: Call) -> Recording | None:
    """At the room's first track. None if it is not wanted, not possible, or was enqueued before.

    However often and at once it is called, a call is recorded automatically once.
    """
    if not (call.is_recording_wanted and call.room_name and storage.is_configured()):
        return None
    try:
        with transaction.atomic():
            if call.recordings.exists() or not Call.objects.live().filter(pk=call.pk).exists():
                return None
            recording = create_recording(call, file_type=Recording.FileType.OGG, is_automatic=True)
            outbox.enqueue(
                START,
                partition_key=f"recording:{recording.pk}",
                body={"recording": recording.pk},
                organization=call.organization,
            )
    except IntegrityError:
        return None
    return recording


def start_enqueued(message: OutboxMessage) -> None:
    """Request the recording. Raises LiveKitError, after which it is retried unless a retry cannot help."""
    waiting = Recording.objects.filter(external_id__isnull=True, state__in=Recording.IN_PROGRESS)
    recording = waiting.select_related("call__organization").filter(pk=message.body["recording"]).first()
    if recording is None:
        return
    try:
        _start(recording, is_first_try=message.attempts <= 1)
    except LiveKitError as error:
        if error.kind is LiveKitErrorKind.NO_RECORDER:
            close_recording(recording, NO_RECORDER)
            return
        if _is_call_over(recording):
            close_recording(recording, OVER)
            return
        if error.permanent or recording.created_at < timezone.now() - RETRY_FOR:
            close_recording(recording, str(error))
        raise


def _start(recording: Recording, *, is_first_try: bool) -> None:
    """Raises LiveKitError."""
    # An earlier try may have succeeded although its response was lost.
    report = None if is_first_try else find_report(recording)
    if report:
        accept_start(recording, report)
    elif recording.state == State.STORING:
        close_recording(recording, "It was stopped before it began.", state=State.CANCELED)
    elif _is_call_over(recording):
        close_recording(recording, OVER)
    else:
        accept_start(recording, request_start(recording))


def _is_call_over(recording: Recording) -> bool:
    return not Call.objects.live().filter(pk=recording.call_id).exists()


def retry_now_after_call_end() -> int:
    """Make due now what would be retried later for a call that is over: its handler ends it. Returns how many."""
    now = timezone.now()
    later = OutboxMessage.objects.filter(topic__in=(START, STOP), state=OutboxMessage.State.WAITING, due_at__gt=now)
    by_recording = {message.body.get("recording"): message.pk for message in later.order_by("id")[:MOST_AT_ONCE]}
    outlived = Recording.objects.filter(pk__in=by_recording).exclude(call__in=Call.objects.live())
    ids = [by_recording[pk] for pk in outlived.values_list("pk", flat=True)]
    return OutboxMessage.objects.filter(pk__in=ids, state=OutboxMessage.State.WAITING).update(due_at=now)
