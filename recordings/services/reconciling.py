"""Recordings without a recent report: their state is fetched from their source, because a webhook may be lost."""

from __future__ import annotations

import datetime as dt

import structlog
from django.db.models import Q, QuerySet
from django.utils import timezone

from recordings.errors import NO_RECORDER
from recordings.models import Recording
from recordings.sources.control import find_report, has_no_recorder, reason_of, request_stop
from recordings.sources.livekit import list_running
from recordings.sources.report import RecordingReport
from voiceapp.providers.errors import ProviderError

from .automatic import RETRY_FOR, retry_now_after_call_end
from .reports import apply_report, close_recording, set_external_id
from .stopping import unknown_at_source

logger = structlog.get_logger("recordings")

State = Recording.State

REPORTED_WITHIN = dt.timedelta(seconds=60)
STARTS_WITHIN = dt.timedelta(minutes=2)
# An hour's file is uploaded in this time, too.
STORED_WITHIN = dt.timedelta(hours=1)
OUTLIVES_ITS_CALL_BY = dt.timedelta(minutes=1)
MOST_AT_ONCE = 50
ENDED_BY_CALLS = (Recording.Source.TWILIO, Recording.Source.VAPI, Recording.Source.ROOM_AGENT)


def recordings_to_reconcile() -> QuerySet[Recording]:
    """Those that are not over at their source a minute after they were created."""
    created_before = timezone.now() - REPORTED_WITHIN
    waiting = Recording.objects.filter(state__in=Recording.IN_PROGRESS, created_at__lte=created_before)
    return waiting.select_related("call__organization").order_by("id")


def reconcile_recordings() -> int:
    """How many were reconciled. Of each source, until the first request that it does not answer."""
    retry_now_after_call_end()
    return _reconcile_egress() + sum(_reconcile_source(source) for source in ENDED_BY_CALLS)


def _reconcile_egress() -> int:
    """One request lists those that run; only one that is not among them needs a request of its own.

    A LiveKit without a recorder records nothing: then none of them runs.
    """
    waiting = list(recordings_to_reconcile().filter(source=Recording.Source.LIVEKIT_EGRESS))
    done = 0
    try:
        running = {report.external_id: report for report in list_running()} if waiting else {}
        for recording in waiting:
            reconcile_recording(recording, report=running.get(recording.external_id or ""))
            done += 1
    except ProviderError as error:
        if has_no_recorder(error):
            return done + sum(close_recording(recording, NO_RECORDER) for recording in waiting[done:])
        logger.warning("recordings not reconciled", left=len(waiting) - done, reason=reason_of(error))
    return done


def _reconcile_source(source: Recording.Source) -> int:
    """Of a source whose recording ends with its call: nothing is requested while the call goes on, unless stopped."""
    ended_before = timezone.now() - OUTLIVES_ITS_CALL_BY
    is_over = Q(call__ended_at__lte=ended_before) | Q(state=State.STORING) | Q(external_id=None)
    waiting = list(recordings_to_reconcile().filter(is_over, source=source, step="")[:MOST_AT_ONCE])
    done = 0
    try:
        for recording in waiting:
            reconcile_recording(recording)
            done += 1
    except ProviderError as error:
        logger.warning("recordings not reconciled", source=source, left=len(waiting) - done, reason=reason_of(error))
    return done


def reconcile_recording(recording: Recording, *, report: RecordingReport | None = None) -> None:
    """Bring the row to what its source reports, and end what should have ended. Raises ProviderError.

    `report`: the current one, if there is one already.
    """
    now = timezone.now()
    is_new = recording.created_at > now - RETRY_FOR - REPORTED_WITHIN
    if not recording.external_id and recording.is_automatic and is_new:
        return  # the outbox still retries
    report = report or find_report(recording)
    if report is None:
        never = f"{recording.get_source_display()} never accepted it."
        close_recording(recording, unknown_at_source(recording) if recording.external_id else never)
        return
    if recording.external_id is None:
        set_external_id(recording, report.external_id)
    apply_report(report)
    if report.is_fetchable or report.is_over:
        return
    if _should_have_ended(recording, report, now):
        stopped = request_stop(recording, report.external_id)
        if stopped:
            apply_report(stopped)
    elif report.state is State.STORING and _since(_stored_since(recording, report), now) > STORED_WITHIN:
        source = recording.get_source_display()
        close_recording(recording, f"{source} did not report within an hour that the file is stored.")


def _stored_since(recording: Recording, report: RecordingReport) -> dt.datetime | None:
    """LiveKit says when; of the others the end of the call is known."""
    is_egress = recording.source == Recording.Source.LIVEKIT_EGRESS
    return report.reported_at if is_egress else recording.call.ended_at


def _should_have_ended(recording: Recording, report: RecordingReport, now: dt.datetime) -> bool:
    if report.state is State.STARTING and _since(report.started_at, now) > STARTS_WITHIN:
        return True
    return report.state in (State.STARTING, State.RECORDING) and (
        recording.state == State.STORING or _since(recording.call.ended_at, now) > OUTLIVES_ITS_CALL_BY
    )


def _since(time: dt.datetime | None, now: dt.datetime) -> dt.timedelta:
    return now - time if time else dt.timedelta(0)
