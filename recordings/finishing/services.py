"""What is stored of the finishing of a recording: that it is due, its step, and how it ended. Guarded updates only."""

from __future__ import annotations

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from recordings.models import Recording
from recordings.storage import new_key
from sessions.calls.services import record_event
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox

from .announcing import announce_recording
from .audio import Audio

logger = structlog.get_logger("recordings")

FINISH = "recording.finish"
LONGEST_ERROR = 300
MOST_AT_ONCE = 200
State, Step = Recording.State, Recording.Step


def enqueue_finishing(recording: Recording) -> bool:
    """The recording is over, and its source has the file or soon will. False if this is known, or it was canceled.

    In the caller's transaction, if there is one. Safe to call twice.
    """
    with transaction.atomic():
        new = Recording.objects.filter(pk=recording.pk, step="", peaks=None)
        running = new.filter(state__in=Recording.IN_PROGRESS)
        is_due = running.update(state=State.STORING, step=Step.FETCH, ended_at=recording.ended_at or timezone.now())
        is_due = is_due or new.filter(_IN_STORAGE).update(step=Step.FETCH)
        if is_due:
            _enqueue(recording)
    return bool(is_due)


def retry_finishing(recording: Recording) -> bool:
    """After it was given up: from the beginning, with all attempts. False if there is nothing to retry."""
    with transaction.atomic():
        given_up = Recording.objects.filter(pk=recording.pk).exclude(step="").exclude(state=State.CANCELED)
        if not given_up.update(error=""):
            return False
        _reopen(given_up)
        jobs = jobs_of(recording)
        if not jobs.exclude(state=OutboxMessage.State.DONE).exists():
            _enqueue(recording)
        outbox.retry(jobs)
    return True


def jobs_of(recording: Recording) -> QuerySet[OutboxMessage]:
    return OutboxMessage.objects.filter(topic=FINISH, partition_key=key_of_jobs(recording.pk))


def key_of_jobs(recording_id: int) -> str:
    return f"recording:{recording_id}"


def recording_to_finish(recording_id: int) -> Recording | None:
    """None if it was deleted, canceled or finished meanwhile. One that was given up is in progress again."""
    due = Recording.objects.filter(pk=recording_id).exclude(step="").exclude(state=State.CANCELED)
    _reopen(due)
    return due.select_related("call__organization", "call__agent_version").first()


def begin_step(recording: Recording, step: Recording.Step) -> None:
    recording.step = step
    _not_canceled(recording).exclude(step="").update(step=step)


def choose_key(recording: Recording) -> None:
    """The name of the file to come, before anything is written: every attempt has the same, and leaves one file."""
    if recording.key.endswith(f".{Recording.FileType.OGG}"):
        return
    recording.key = new_key(recording.call, Recording.FileType.OGG)
    _not_canceled(recording).update(key=recording.key)


def keep_file(recording: Recording, audio: Audio, *, bucket: str, size_bytes: int) -> bool:
    """The file is stored. False if the recording was deleted or canceled meanwhile: then nobody may hear it."""
    with transaction.atomic():
        storing = Recording.objects.filter(pk=recording.pk, state=State.STORING)
        state = State.CUT_SHORT if recording.broken_off_by else State.STORED
        stored = {"state": state, "bucket": bucket, "file_type": Recording.FileType.OGG}
        if not storing.update(**stored, **_facts(audio, size_bytes)):
            return False
        record_event(recording.call_id, "recording_ended", {"state": state.value, "error": recording.broken_off_by})
    return True


def keep_check(recording: Recording, audio: Audio, *, size_bytes: int) -> bool:
    """The same for a file that had been stored by its source."""
    stored = Recording.objects.filter(pk=recording.pk, state__in=(State.STORED, State.CUT_SHORT))
    return bool(stored.update(**_facts(audio, size_bytes)))


def _facts(audio: Audio, size_bytes: int) -> dict[str, object]:
    return {
        "step": Step.CLEAN,
        "error": "",
        "size_bytes": size_bytes,
        "duration_ms": audio.duration_ms,
        "channels": audio.channels,
        "peaks": audio.peaks,
    }


def close_finishing(recording: Recording, *, note: str) -> None:
    """All steps are done. `note`: what the operator should know all the same."""
    why = recording.broken_off_by or note
    with transaction.atomic():
        cleaned = _not_canceled(recording).filter(step=Step.CLEAN)
        if cleaned.update(step="", error=why[:LONGEST_ERROR]):
            announce_recording(recording, key_of_jobs(recording.pk))


def explain(recording: Recording, why: str) -> None:
    """Why the step has not succeeded yet."""
    _not_canceled(recording).exclude(step="").update(error=why[:LONGEST_ERROR])


def explain_all_waiting(why: str) -> None:
    """Why none of those that are due was begun."""
    Recording.objects.filter(state=State.STORING).exclude(step="").update(error=why[:LONGEST_ERROR])


def close_given_up() -> int:
    """Fail the recordings whose job has failed, also by a worker that died at each attempt. How many there were."""
    jobs = OutboxMessage.objects.filter(topic=FINISH, state=OutboxMessage.State.FAILED).order_by("-id")
    why = {message.body["recording"]: message.last_error for message in jobs[:MOST_AT_ONCE]}
    unfinished = Recording.objects.filter(pk__in=why).exclude(step="").exclude(state=State.FAILED)
    return sum(_give_up(recording, why[recording.pk]) for recording in unfinished)


def _give_up(recording: Recording, why: str) -> bool:
    """A file that was stored and checked stays: only copies elsewhere may be left."""
    error = recording.error or why[:LONGEST_ERROR]
    if recording.peaks is not None:
        return bool(Recording.objects.filter(pk=recording.pk).exclude(error=error).update(error=error))
    with transaction.atomic():
        open_one = Recording.objects.filter(pk=recording.pk).exclude(state__in=(State.FAILED, State.CANCELED))
        if not open_one.update(state=State.FAILED, error=error, ended_at=recording.ended_at or timezone.now()):
            return False
        record_event(recording.call_id, "recording_ended", {"state": State.FAILED.value, "error": error})
        announce_recording(recording, key_of_jobs(recording.pk))
    logger.warning("recording not finished", recording=recording.pk, step=recording.step, error=error)
    return True


def _not_canceled(recording: Recording) -> QuerySet[Recording]:
    """The row, unless its caller did not want it meanwhile: then its step and its error are about its deletion."""
    return Recording.objects.filter(pk=recording.pk).exclude(state=State.CANCELED)


def _reopen(recordings: QuerySet[Recording]) -> None:
    failed = recordings.filter(state=State.FAILED)
    failed.filter(size_bytes__gt=0).exclude(key="").update(state=State.STORED)
    failed.update(state=State.STORING)


def _enqueue(recording: Recording) -> None:
    outbox.enqueue(
        FINISH,
        partition_key=key_of_jobs(recording.pk),
        body={"recording": recording.pk},
        organization=recording.call.organization,
    )


_IN_STORAGE = Q(state__in=(State.STORED, State.CUT_SHORT), size_bytes__gt=0) & ~Q(key="")
