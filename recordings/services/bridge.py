"""Recordings that this server makes of its phone calls: a row from the first sound, then its end.

The sound is in a spool file of the same name (recordings/spool), which the finishing turns into the recording.
"""

from __future__ import annotations

import datetime as dt
from uuid import UUID

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone

from recordings.finishing.services import enqueue_finishing
from recordings.models import Recording
from recordings.storage import new_key
from sessions.calls.services import record_event

from .declining import lock_call
from .reports import close_recording

logger = structlog.get_logger("recordings")

State = Recording.State

LONGEST_FAULT = 100
NOTHING_TAKEN = "The call ended before anything was recorded."
# A process that ends a call ends its recording within seconds.
ENDED_WITHIN = dt.timedelta(minutes=2)
MOST_AT_ONCE = 200


def begin_bridge_recording(call_id: UUID, *, tape_id: str, starts_at_ms: int) -> bool:
    """Whether the call may be recorded: not if another source does, or the caller does not want it. Safe to repeat."""
    if Recording.objects.filter(source=Recording.Source.BRIDGE, external_id=tape_id).exists():
        return True
    earlier = Recording.objects.filter(call=call_id, source=Recording.Source.BRIDGE, state=State.RECORDING)
    for each in earlier.select_related("call__organization"):
        _end(each, fault="")  # the process of an earlier stream of the call died
    try:
        with transaction.atomic():
            call = lock_call(call_id)
            if call.recording_declined_at is not None:
                return False
            Recording.objects.create(
                call=call,
                source=Recording.Source.BRIDGE,
                external_id=tape_id,
                state=State.RECORDING,
                file_type=Recording.FileType.OGG,
                key=new_key(call, Recording.FileType.OGG),
                channels=2,
                starts_at_ms=starts_at_ms,
                is_automatic=not starts_at_ms,
                started_at=timezone.now(),
            )
            record_event(call_id, "recording_started", {"file_type": Recording.FileType.OGG.value})
    except IntegrityError:
        return False
    return True


def end_bridge_recording(tape_id: str, *, has_sound: bool, fault: str) -> bool:
    """Hand it over to the finishing, or fail it where there is nothing. Safe to repeat."""
    recording = _running(tape_id)
    if recording is None:
        return False
    if not has_sound:
        return close_recording(recording, fault or NOTHING_TAKEN)
    return _end(recording, fault=fault)


def cancel_bridge_recording(tape_id: str, *, reason: str) -> bool:
    """It is not wanted: its writer deletes the file, or the sweep does."""
    recording = _running(tape_id)
    return recording is not None and close_recording(recording, reason, state=State.CANCELED)


def end_lost_recordings() -> int:
    """Of calls that are over, but whose process did not say so of the recording. Returns how many."""
    over_since = timezone.now() - ENDED_WITHIN
    lost = Recording.objects.filter(
        source=Recording.Source.BRIDGE, state=State.RECORDING, call__ended_at__lt=over_since
    )
    return sum(_end(recording, fault="") for recording in lost.select_related("call__organization")[:MOST_AT_ONCE])


def _running(tape_id: str) -> Recording | None:
    running = Recording.objects.filter(source=Recording.Source.BRIDGE, external_id=tape_id, state=State.RECORDING)
    return running.select_related("call__organization").first()


def _end(recording: Recording, *, fault: str) -> bool:
    with transaction.atomic():
        running = Recording.objects.filter(pk=recording.pk, state=State.RECORDING)
        running.update(ended_at=timezone.now(), broken_off_by=fault[:LONGEST_FAULT])
        return enqueue_finishing(recording)
