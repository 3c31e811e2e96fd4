"""What LiveKit tells of a recording, in whatever order and however often: kept so that it only ever moves on."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from recordings.models import Recording
from sessions.calls.services import record_event
from sessions.messages.outbox import emit
from voiceapp.providers.livekit.values import EgressStatus, RoomRecording

UNDO = "recording.undo"
Status = Recording.Status

RANK = {Status.STARTING: 0, Status.ACTIVE: 1, Status.ENDING: 2}
OVER_RANK = 3
LONGEST_ERROR = 300


def recording_changed(fact: RoomRecording) -> Recording | None:
    """Keep it, if it is news; None if the recording is none of ours.

    Safe to call twice and out of order: a status never goes back, and an end is final. Only our own guess that a
    recording failed gives way to what LiveKit says of its end.
    """
    recording = _recording_of(fact)
    if recording is None or fact.status is EgressStatus.UNKNOWN:
        return recording
    with transaction.atomic():
        if _older_than(fact).filter(pk=recording.pk).update(**_told(fact)) and fact.is_over:
            record_event(recording.call_id, "recording_ended", {"status": fact.status.value, "error": _error(fact)})
        elif _is_unwanted(recording, fact):
            promise_to_undo(recording)
    recording.refresh_from_db()
    return recording


@transaction.atomic
def name_recording(recording: Recording, egress_id: str) -> None:
    """LiveKit has begun, and calls it that: heard from its answer or from a webhook, whichever comes first."""
    unnamed = Recording.objects.filter(pk=recording.pk, egress_id__isnull=True)
    if unnamed.update(egress_id=egress_id):
        record_event(recording.call_id, "recording_started", {"file_type": recording.file_type})


def lose(recording: Recording, why: str, *, status: Status = Status.FAILED) -> bool:
    """End it without LiveKit's word. False if it was over already."""
    running = Recording.objects.filter(pk=recording.pk, status__in=Recording.IN_PROGRESS)
    with transaction.atomic():
        if not running.update(status=status, error=why[:LONGEST_ERROR], ended_at=timezone.now()):
            return False
        record_event(recording.call_id, "recording_ended", {"status": status.value, "error": why[:LONGEST_ERROR]})
    return True


def _recording_of(fact: RoomRecording) -> Recording | None:
    """By LiveKit's id; before that is known to us, by the file that we asked for."""
    known = Recording.objects.filter(egress_id=fact.egress_id).first()
    if known or not fact.asked_path:
        return known
    asked = Recording.objects.filter(key=fact.asked_path).first()
    if asked is None:
        return None
    name_recording(asked, fact.egress_id)
    return Recording.objects.filter(pk=asked.pk, egress_id=fact.egress_id).first()


def _rank(status: str) -> int:
    return RANK.get(Status(status), OVER_RANK)


def _older_than(fact: RoomRecording) -> Any:
    """Rows to which the fact is news."""
    rank = _rank(fact.status)
    is_behind = Q(status__in=[status for status in Status if _rank(status) < rank])
    is_told_less = Q(told_at__isnull=True)
    if fact.updated_at is not None:
        is_told_less |= Q(told_at__lt=fact.updated_at)
    same = Status.FAILED if fact.is_over else Status(fact.status)
    return Recording.objects.filter(is_behind | (Q(status=same) & is_told_less))


def _told(fact: RoomRecording) -> dict[str, object]:
    told: dict[str, object] = {"status": fact.status.value}
    if fact.updated_at:
        told["told_at"] = fact.updated_at
    if fact.started_at:
        told["started_at"] = fact.started_at
    if fact.is_over:
        told |= {"ended_at": fact.ended_at or timezone.now(), "error": _error(fact)}
    if fact.file:
        told |= {"size_bytes": max(fact.file.size_bytes, 0), "duration_ms": max(fact.file.duration_ms, 0)}
    return told


def _error(fact: RoomRecording) -> str:
    return fact.error.replace("\0", "")[:LONGEST_ERROR]


def _is_unwanted(recording: Recording, fact: RoomRecording) -> bool:
    """It runs, although it was given up or stopped before LiveKit had said a word of it."""
    is_given_up = recording.status in (Status.FAILED, Status.ENDING) and recording.told_at is None
    return is_given_up and fact.status in (EgressStatus.STARTING, EgressStatus.ACTIVE)


def promise_to_undo(recording: Recording) -> None:
    """In the caller's transaction. For one that nobody wants any more, but that LiveKit may have begun.

    An answer that was lost does not say whether it runs. Nobody shall be recorded without a row that says so.
    """
    emit(
        UNDO,
        key=f"recording:{recording.pk}",
        body={"recording": recording.pk},
        organization=recording.call.organization,
    )
