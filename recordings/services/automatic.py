"""Calls that are recorded from the beginning: once each, retried until the source accepts or the call is over.

A LiveKit without a recorder gets no further request, and nothing is retried for a call that is over: it ends whatever
may have started without our knowledge.
"""

from __future__ import annotations

import datetime as dt

from django.db import IntegrityError, transaction
from django.utils import timezone

from agents.configuration.models import Persona
from recordings import storage
from recordings.errors import NO_RECORDER, RecordingDeclined
from recordings.models import Recording
from recordings.sources.control import find_report, has_no_recorder, request_start
from recordings.sources.report import RecordingReport
from sessions.calls.models import Call
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from sessions.rooms.queries import recorder_of
from voiceapp.providers.errors import ProviderError
from voiceapp.providers.twilio.recordings import NotRecordable

from .declining import delete_late_start
from .reports import STOP, close_recording
from .starting import accept_start, create_recording

State = Recording.State

START = "recording.start"
OVER = "The call was over before it began."
RETRY_FOR = dt.timedelta(minutes=10)
MOST_AT_ONCE = 200


def enqueue_automatic_recording(call: Call) -> Recording | None:
    """By LiveKit's egress, at the room's first track. None if not wanted, not possible, or enqueued before.

    However often and at once it is called, a call is recorded automatically once.
    """
    if not (call.is_recording_wanted and call.room_name and storage.is_configured()):
        return None
    if recorder_of(call) is not Persona.RoomRecordedBy.EGRESS:
        return None
    return _enqueue(call, Recording.Source.LIVEKIT_EGRESS)


def enqueue_phone_recording(call: Call) -> Recording | None:
    """By Twilio, when a phone call connects. None if it was enqueued before. In the caller's transaction."""
    return _enqueue(call, Recording.Source.TWILIO)


def _enqueue(call: Call, source: Recording.Source) -> Recording | None:
    try:
        with transaction.atomic():
            if call.recordings.exists() or not Call.objects.live().filter(pk=call.pk).exists():
                return None
            recording = create_recording(call, source=source, file_type=Recording.FileType.OGG, is_automatic=True)
            outbox.enqueue(
                START,
                partition_key=f"recording:{recording.pk}",
                body={"recording": recording.pk},
                organization=call.organization,
            )
    except (IntegrityError, RecordingDeclined):
        return None
    return recording


def start_enqueued(message: OutboxMessage) -> None:
    """Request the recording. Raises ProviderError, after which it is retried unless a retry cannot help."""
    waiting = Recording.objects.filter(external_id__isnull=True, state__in=Recording.IN_PROGRESS)
    recording = waiting.select_related("call__organization").filter(pk=message.body["recording"]).first()
    if recording is None:
        delete_late_start(message.body["recording"])
        return
    try:
        _start(recording, is_first_try=message.attempts <= 1)
    except ProviderError as error:
        if has_no_recorder(error):
            close_recording(recording, NO_RECORDER)
            return
        if _is_call_over(recording) or isinstance(error, NotRecordable):
            close_recording(recording, OVER)
            return
        if error.permanent or recording.created_at < timezone.now() - RETRY_FOR:
            close_recording(recording, str(error))
        raise


def _start(recording: Recording, *, is_first_try: bool) -> None:
    """Raises ProviderError."""
    # An earlier try may have succeeded although its response was lost.
    report = None if is_first_try else find_report(recording)
    if report:
        accept_start(recording, report)
    elif recording.state == State.STORING:
        close_recording(recording, "It was stopped before it began.", state=State.CANCELED)
    elif _is_call_over(recording):
        close_recording(recording, OVER)
    else:
        accept_start(recording, _begin(recording))


def _begin(recording: Recording) -> RecordingReport:
    """Raises ProviderError. Twilio gives the second of its start; the response says it better."""
    report = request_start(recording)
    connected_at = recording.call.connected_at
    if recording.source == Recording.Source.TWILIO and connected_at is not None:
        starts_at_ms = round((timezone.now() - connected_at).total_seconds() * 1000)
        Recording.objects.filter(pk=recording.pk).update(starts_at_ms=starts_at_ms)
    return report


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
