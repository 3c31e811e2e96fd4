"""Recordings of which we heard nothing: LiveKit is asked how they stand (a webhook may be lost)."""

from __future__ import annotations

import datetime as dt

import structlog
from django.db.models import QuerySet
from django.utils import timezone

from recordings.errors import NO_RECORDER
from recordings.models import Recording
from recordings.sources.livekit import ask_to_stop, look_for, running_in_livekit
from voiceapp.providers.livekit.errors import LiveKitError, LiveKitErrorKind
from voiceapp.providers.livekit.values import EgressStatus, RoomRecording

from .automatic import TRY_FOR, hurry_what_outlived_its_call
from .events import lose, recording_changed
from .stopping import FORGOTTEN

logger = structlog.get_logger("recordings")

Status = Recording.Status

HEARD_OF_WITHIN = dt.timedelta(seconds=60)
BEGINS_WITHIN = dt.timedelta(minutes=2)
# An hour's file is uploaded in this time, too.
STORED_WITHIN = dt.timedelta(hours=1)
OUTLIVES_ITS_CALL_BY = dt.timedelta(minutes=1)


def recordings_to_reconcile() -> QuerySet[Recording]:
    """Those that are not over a minute after they were begun."""
    begun_before = timezone.now() - HEARD_OF_WITHIN
    waiting = Recording.objects.filter(status__in=Recording.IN_PROGRESS, created_at__lte=begun_before)
    return waiting.select_related("call__organization").order_by("id")


def reconcile_recordings() -> int:
    """How many were looked after. Stops at the first question that LiveKit does not answer.

    One question shows those that run; only what is not among them is asked about by itself. A LiveKit that has no
    recorder records nothing: then none of them runs.
    """
    hurry_what_outlived_its_call()
    waiting = list(recordings_to_reconcile())
    done = 0
    try:
        running = {fact.egress_id: fact for fact in running_in_livekit()} if waiting else {}
        for recording in waiting:
            reconcile_recording(recording, fact=running.get(recording.egress_id or ""))
            done += 1
    except LiveKitError as error:
        if error.kind is LiveKitErrorKind.NO_RECORDER:
            return done + sum(lose(recording, NO_RECORDER) for recording in waiting[done:])
        logger.warning("recordings not reconciled", left=len(waiting) - done, reason=error.kind.value)
    return done


def reconcile_recording(recording: Recording, *, fact: RoomRecording | None = None) -> None:
    """Make the row what LiveKit says, and end what should have ended. Raises LiveKitError.

    `fact`: what it has said just now, if that is known.
    """
    now = timezone.now()
    if not recording.egress_id and recording.is_automatic and recording.created_at > now - TRY_FOR - HEARD_OF_WITHIN:
        return  # the outbox still tries
    fact = fact or look_for(recording)
    if fact is None:
        lose(recording, FORGOTTEN if recording.egress_id else "LiveKit never took it on.")
        return
    recording_changed(fact)
    if _should_have_ended(recording, fact, now):
        stopped = ask_to_stop(fact.egress_id)
        if stopped:
            recording_changed(stopped)
    elif fact.status is EgressStatus.ENDING and _since(fact.updated_at, now) > STORED_WITHIN:
        lose(recording, "LiveKit did not say within an hour that the file is stored.")


def _should_have_ended(recording: Recording, fact: RoomRecording, now: dt.datetime) -> bool:
    if fact.status is EgressStatus.STARTING and _since(fact.started_at, now) > BEGINS_WITHIN:
        return True
    is_running = fact.status in (EgressStatus.STARTING, EgressStatus.ACTIVE)
    return is_running and (
        recording.status == Status.ENDING or _since(recording.call.ended_at, now) > OUTLIVES_ITS_CALL_BY
    )


def _since(moment: dt.datetime | None, now: dt.datetime) -> dt.timedelta:
    return now - moment if moment else dt.timedelta(0)
