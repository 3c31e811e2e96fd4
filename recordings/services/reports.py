"""Apply what a source reports of a recording: in any order and repeated, a state never goes back."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from recordings.finishing.announcing import announce_recording
from recordings.finishing.services import enqueue_finishing, key_of_jobs
from recordings.models import Recording
from recordings.sources.report import RecordingReport
from sessions.calls.models import Call
from sessions.calls.services import record_event
from sessions.messages.outbox import outbox

from .declining import lock_call

STOP = "recording.stop"
State = Recording.State

RANK = {State.STARTING: 0, State.RECORDING: 1, State.STORING: 2}
FINAL_RANK = 3
LONGEST_ERROR = 300


def apply_report(report: RecordingReport) -> Recording | None:
    """Save it, if it is newer than what we have; None if the recording is none of ours.

    Safe to call twice and out of order: a state never goes back, and a final one stays. Only our own assumption that
    a recording failed gives way to the end that the source reports.
    """
    recording = _recording_of(report)
    if recording is None or report.state is None:
        return recording
    with transaction.atomic():
        is_news = _older_than(report, report.state).filter(pk=recording.pk).update(**_changes(report))
        if report.is_fetchable:
            finish_later(recording, ended_at=report.ended_at)
        elif is_news and report.is_over:
            details = {"state": report.state.value, "error": _error(report)}
            record_event(recording.call_id, "recording_ended", details)
            recording.refresh_from_db()
            enqueue_finishing(recording)
        elif _is_unwanted(recording, report):
            enqueue_stop(recording)
    recording.refresh_from_db()
    return recording


def begin_at_source(
    call: Call, source: Recording.Source, *, external_id: str, is_automatic: bool = True, starts_at_ms: int = 0
) -> Recording | None:
    """A source has begun to record by itself. Safe to repeat.

    None if the call is, or was, recorded by another one, or if the caller does not want that.
    """
    known = Recording.objects.filter(call=call, source=source, external_id=external_id).first()
    if known is not None:
        return known
    try:
        with transaction.atomic():
            if lock_call(call.pk).recording_declined_at is not None:
                return None
            recording = Recording.objects.create(
                call=call,
                source=source,
                external_id=external_id,
                state=State.RECORDING,
                file_type=Recording.FileType.OGG,
                is_automatic=is_automatic,
                starts_at_ms=starts_at_ms,
                started_at=timezone.now(),
            )
            record_event(call.pk, "recording_started", {"source": source.value})
    except IntegrityError:
        return None
    return recording


@transaction.atomic
def set_external_id(recording: Recording, external_id: str) -> None:
    """The source has accepted it under this id: known from a response or from a webhook, whichever comes first."""
    unaccepted = Recording.objects.filter(pk=recording.pk, external_id__isnull=True)
    if unaccepted.update(external_id=external_id):
        record_event(recording.call_id, "recording_started", {"file_type": recording.file_type})


@transaction.atomic
def finish_later(recording: Recording, *, ended_at: dt.datetime | None = None) -> bool:
    """The source has its whole file: it is fetched, checked and stored by a worker. False if that is under way.

    Our own assumption that the recording failed gives way to it.
    """
    Recording.objects.filter(pk=recording.pk, state=State.FAILED, step="").update(state=State.STORING, error="")
    recording.ended_at = ended_at or recording.ended_at
    return enqueue_finishing(recording)


def close_recording(recording: Recording, reason: str, *, state: Recording.State = State.FAILED) -> bool:
    """End it without a report of the source. False if it was over already."""
    running = Recording.objects.filter(pk=recording.pk, state__in=Recording.IN_PROGRESS)
    with transaction.atomic():
        if not running.update(state=state, error=reason[:LONGEST_ERROR], ended_at=timezone.now()):
            return False
        details = {"state": state.value, "error": reason[:LONGEST_ERROR]}
        record_event(recording.call_id, "recording_ended", details)
        if state == State.FAILED:
            announce_recording(recording, key_of_jobs(recording.pk))
    return True


def enqueue_stop(recording: Recording) -> None:
    """In the caller's transaction. For a recording that is no longer requested, but that the source may have started.

    A lost response does not say whether it runs. No call may be recorded without a row that says so.
    """
    outbox.enqueue(
        STOP,
        partition_key=f"recording:{recording.pk}",
        body={"recording": recording.pk},
        organization=recording.call.organization,
    )


def _recording_of(report: RecordingReport) -> Recording | None:
    """By the source's id; while we do not have it, by the file that we requested."""
    by_id = {"source": report.source, "external_id": report.external_id}
    known = Recording.objects.filter(**by_id).first()
    if known or not report.key:
        return known
    requested = Recording.objects.filter(source=report.source, key=report.key).first()
    if requested is None:
        return None
    set_external_id(requested, report.external_id)
    return Recording.objects.filter(pk=requested.pk, **by_id).first()


def _rank(state: str) -> int:
    return RANK.get(State(state), FINAL_RANK)


def _older_than(report: RecordingReport, state: Recording.State) -> Any:
    """Rows to which the report is news."""
    is_behind = Q(state__in=[each for each in State if _rank(each) < _rank(state)])
    is_reported_before = Q(reported_at__isnull=True)
    if report.reported_at is not None:
        is_reported_before |= Q(reported_at__lt=report.reported_at)
    same = State.FAILED if report.is_over else state
    return Recording.objects.filter(is_behind | (Q(state=same) & is_reported_before))


def _changes(report: RecordingReport) -> dict[str, object]:
    changes: dict[str, object] = {"state": report.state}
    if report.reported_at:
        changes["reported_at"] = report.reported_at
    if report.started_at:
        changes["started_at"] = report.started_at
    if report.is_over:
        changes |= {"ended_at": report.ended_at or timezone.now(), "error": _error(report)}
    if report.size_bytes is not None:
        changes |= {"size_bytes": max(report.size_bytes, 0), "duration_ms": max(report.duration_ms or 0, 0)}
    return changes


def _error(report: RecordingReport) -> str:
    return report.error.replace("\0", "")[:LONGEST_ERROR]


def _is_unwanted(recording: Recording, report: RecordingReport) -> bool:
    """It runs, although it was given up or stopped before the source had reported anything of it."""
    is_given_up = recording.state in (State.FAILED, State.STORING) and recording.reported_at is None
    return is_given_up and report.state in (State.STARTING, State.RECORDING)
