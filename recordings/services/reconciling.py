"""Recordings without a recent report: their state is fetched from LiveKit, because a webhook may be lost."""

from __future__ import annotations

import datetime as dt

import structlog
from django.db.models import QuerySet
from django.utils import timezone

from recordings.errors import NO_RECORDER
from recordings.models import Recording
from recordings.sources.livekit import find_report, list_running, request_stop
from recordings.sources.report import RecordingReport
from voiceapp.providers.livekit.errors import LiveKitError, LiveKitErrorKind

from .automatic import RETRY_FOR, retry_now_after_call_end
from .reports import apply_report, close_recording
from .stopping import UNKNOWN_TO_LIVEKIT

logger = structlog.get_logger("recordings")

State = Recording.State

REPORTED_WITHIN = dt.timedelta(seconds=60)
STARTS_WITHIN = dt.timedelta(minutes=2)
# An hour's file is uploaded in this time, too.
STORED_WITHIN = dt.timedelta(hours=1)
OUTLIVES_ITS_CALL_BY = dt.timedelta(minutes=1)


def recordings_to_reconcile() -> QuerySet[Recording]:
    """Those that are not over a minute after they were created."""
    created_before = timezone.now() - REPORTED_WITHIN
    waiting = Recording.objects.filter(state__in=Recording.IN_PROGRESS, created_at__lte=created_before)
    return waiting.select_related("call__organization").order_by("id")


def reconcile_recordings() -> int:
    """How many were reconciled. Stops at the first request that LiveKit does not answer.

    One request lists those that run; only one that is not among them needs a request of its own. A LiveKit without a
    recorder records nothing: then none of them runs.
    """
    retry_now_after_call_end()
    waiting = list(recordings_to_reconcile())
    done = 0
    try:
        running = {report.external_id: report for report in list_running()} if waiting else {}
        for recording in waiting:
            reconcile_recording(recording, report=running.get(recording.external_id or ""))
            done += 1
    except LiveKitError as error:
        if error.kind is LiveKitErrorKind.NO_RECORDER:
            return done + sum(close_recording(recording, NO_RECORDER) for recording in waiting[done:])
        logger.warning("recordings not reconciled", left=len(waiting) - done, reason=error.kind.value)
    return done


def reconcile_recording(recording: Recording, *, report: RecordingReport | None = None) -> None:
    """Bring the row to what LiveKit reports, and end what should have ended. Raises LiveKitError.

    `report`: the current one, if there is one already.
    """
    now = timezone.now()
    is_new = recording.created_at > now - RETRY_FOR - REPORTED_WITHIN
    if not recording.external_id and recording.is_automatic and is_new:
        return  # the outbox still retries
    report = report or find_report(recording)
    if report is None:
        close_recording(recording, UNKNOWN_TO_LIVEKIT if recording.external_id else "LiveKit never accepted it.")
        return
    apply_report(report)
    if _should_have_ended(recording, report, now):
        stopped = request_stop(report.external_id)
        if stopped:
            apply_report(stopped)
    elif report.state is State.STORING and _since(report.reported_at, now) > STORED_WITHIN:
        close_recording(recording, "LiveKit did not report within an hour that the file is stored.")


def _should_have_ended(recording: Recording, report: RecordingReport, now: dt.datetime) -> bool:
    if report.state is State.STARTING and _since(report.started_at, now) > STARTS_WITHIN:
        return True
    return report.state in (State.STARTING, State.RECORDING) and (
        recording.state == State.STORING or _since(recording.call.ended_at, now) > OUTLIVES_ITS_CALL_BY
    )


def _since(time: dt.datetime | None, now: dt.datetime) -> dt.timedelta:
    return now - time if time else dt.timedelta(0)
