"""A caller does not want to be recorded: what runs is stopped, and what was recorded of the call is deleted.

The rows say so at once, in one transaction with the call's mark: from then on nothing records the call. A worker
deletes what there is, here and at the source. A legal hold forbids that: then the recording ends, and what there is
stays until the hold is lifted (recordings/retention.py).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from agents.privacy.models import privacy_settings_of
from recordings.finishing.services import key_of_jobs
from recordings.models import Recording
from recordings.sources.control import CONTROLS, find_report, has_no_recorder, request_stop
from recordings.sources.report import RecordingReport
from sessions.calls.declined_recordings import Declined, DeclinedBy
from sessions.calls.models import Call
from sessions.calls.outcomes import RecordingEnd
from sessions.calls.services import forget_words, record_event
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from voiceapp.core.kept_texts import KeptText
from voiceapp.core.transactions import NotSaved, retried
from voiceapp.providers.errors import ProviderError

from .deleting import delete_audio

logger = structlog.get_logger("recordings")

State, Step, Source = Recording.State, Recording.Step, Recording.Source

DECLINE = "recording.decline"
DECLINED = KeptText("The caller did not want to be recorded.")
STOPPED_AND_DELETED = "I have stopped the recording, and it is deleted."
DELETED_AFTERWARDS = "The recording of this call is deleted as soon as we hang up."
STOPPED = "I have stopped the recording."
NOT_RECORDED = "This call is not recorded."
NOT_STOPPED = "I cannot stop the recording of this call. If you do not want it, please hang up."
NOT_DONE = "I could not stop the recording just now. Please try again in a moment."

# Where the call is carried, what these write is stopped; VAPI cannot be stopped.
NOT_STOPPED_FROM_HERE = (Source.BRIDGE, Source.PAGE, Source.VAPI)
ENDS_WITHIN_S = 5.0
NOTHING_LEFT: Mapping[str, object] = {
    "step": "",
    "bucket": "",
    "key": "",
    "url": "",
    "transcript": "",
    "size_bytes": None,
    "duration_ms": None,
    "peaks": None,
}
LOOK_AT_HOLD_EVERY = dt.timedelta(hours=1)
# VAPI records a call to its end; with the recording the whole call is deleted there, of which a report comes first.
LOOK_AT_VAPI_EVERY = dt.timedelta(minutes=1)
REPORTED_WITHIN = dt.timedelta(minutes=3)


def decline_in_time(call_id: UUID, *, by: DeclinedBy) -> Declined:
    """The same, whatever the database does; then nothing was changed, and the caller hears so."""
    try:
        return retried(lambda: decline_recording(call_id, by), what="recording declined")
    except NotSaved:
        return Declined(NOT_DONE)


@transaction.atomic
def decline_recording(call_id: UUID, by: DeclinedBy) -> Declined:
    """Safe to repeat. What is said holds for what was recorded of the call so far.

    The written words go with it, if the organization has chosen that.
    """
    call = lock_call(call_id)
    is_on_hold = _is_on_hold(call)
    found = list(recorded_of(call))
    is_at_vapi = any(each.source == Source.VAPI and each.state in Recording.IN_PROGRESS for each in found)
    if is_on_hold and is_at_vapi:
        return Declined(NOT_STOPPED)
    is_news = Call.objects.filter(pk=call_id, recording_declined_at=None).update(recording_declined_at=timezone.now())
    call.refresh_from_db(fields=["recording_declined_at"])
    has_no_words = not is_on_hold and forget_words(call)
    if is_news:
        words = {"transcript": "emptied"} if has_no_words else {}
        record_event(call_id, "recording_declined", {"by": by.value, **words})
    for recording in found:
        _end(recording, is_kept=is_on_hold)
    if is_on_hold:
        return Declined(STOPPED if found else NOT_RECORDED, RecordingEnd.KEPT)
    say = DELETED_AFTERWARDS if is_at_vapi else STOPPED_AND_DELETED
    return Declined(say if found else NOT_RECORDED, RecordingEnd.DELETED)


def lock_call(call_id: UUID) -> Call:
    """Until the end of the transaction: no recording of it begins between a look at its mark and what follows.

    Not its key: others' rows may name the call meanwhile, and whoever changes its recordings waits for no lock of ours.
    """
    return Call.objects.select_for_update(of=("self",), no_key=True).select_related("organization").get(pk=call_id)


def recorded_of(call: Call) -> QuerySet[Recording]:
    """Voicemail is none of them: it is what the caller wanted to leave."""
    return Recording.objects.filter(call=call, voicemail=None).exclude(state=State.CANCELED).defer("peaks")


def _is_on_hold(call: Call) -> bool:
    return call.organization is not None and privacy_settings_of(call.organization).is_on_hold


def _end(recording: Recording, *, is_kept: bool) -> None:
    row = Recording.objects.filter(pk=recording.pk)
    if is_kept:
        row.update(broken_off_by=DECLINED)
    else:
        # Whoever is finishing it finds this, and drops what it has made.
        row.update(state=State.CANCELED, step=Step.CLEAN, error=DECLINED, ended_at=recording.ended_at or timezone.now())
        record_event(recording.call_id, "recording_ended", {"state": State.CANCELED.value, "error": DECLINED})
    if not is_kept or recording.state in Recording.IN_PROGRESS:
        enqueue_deletion(recording)


def enqueue_deletion(recording: Recording, *, delay: dt.timedelta = dt.timedelta()) -> None:
    """In the caller's transaction."""
    outbox.enqueue(
        DECLINE,
        partition_key=key_of_jobs(recording.pk),
        body={"recording": recording.pk},
        organization=recording.call.organization,
        delay=delay,
    )


def delete_late_start(recording_id: int) -> None:
    """The source may have accepted, only now, a recording that the caller had declined before."""
    late = Recording.objects.filter(pk=recording_id, state=State.CANCELED, call__recording_declined_at__isnull=False)
    with transaction.atomic():
        if late.update(step=Step.CLEAN):
            enqueue_deletion(late.select_related("call__organization").get())


def delete_unnoted(call: Call, source: Recording.Source, external_id: str) -> None:
    """The source has recorded a part of the call of which there was no row when the caller declined. Safe to repeat."""
    with transaction.atomic():
        recording, is_new = Recording.objects.get_or_create(
            source=source,
            external_id=external_id,
            defaults={"call": call, "state": State.CANCELED, "step": Step.CLEAN, "error": DECLINED,
                      "file_type": Recording.FileType.OGG, "ended_at": timezone.now()},
        )  # fmt: skip
        if is_new:
            enqueue_deletion(recording)


def delete_declined(message: OutboxMessage) -> None:
    """The handler of the outbox. Raises ProviderError while the source still records, or does not respond."""
    recordings = Recording.objects.select_related("call__organization").defer("peaks")
    recording = recordings.filter(pk=message.body["recording"]).first()
    if recording is None:
        return
    _end_at_source(recording)
    if recording.state != State.CANCELED:
        return  # kept under a legal hold
    if wait := _wait_before(recording):
        enqueue_deletion(recording, delay=wait)
        return
    delete_audio(recording)
    with transaction.atomic():
        left = Recording.objects.filter(pk=recording.pk, state=State.CANCELED, step=Step.CLEAN)
        if left.update(**NOTHING_LEFT):
            record_event(recording.call_id, "recording_deleted", {"why": DECLINED})
    logger.info("recording deleted", call_id=str(recording.call_id), recording=recording.pk, why=DECLINED)


def _end_at_source(recording: Recording) -> None:
    """Raises ProviderError until it has ended there."""
    if recording.source in NOT_STOPPED_FROM_HERE:
        return
    if recording.source == Source.ROOM_AGENT:
        # Its agent stops when it reads that; where it writes is known.
        request_stop(recording, recording.external_id or "")
        return
    report = _stopped(recording)
    if report is not None and not (report.is_over or report.is_fetchable):
        raise ProviderError(recording.source, KeptText("has not ended the recording yet"), retry_after_s=ENDS_WITHIN_S)


def _stopped(recording: Recording) -> RecordingReport | None:
    """What its source knows of it, after it was requested to stop; None if it knows nothing."""
    try:
        report = find_report(recording)
        if report is None:
            return None
        if recording.external_id is None:
            Recording.objects.filter(pk=recording.pk, external_id=None).update(external_id=report.external_id)
            recording.external_id = report.external_id
        if report.state in (State.STARTING, State.RECORDING) and recording.source in CONTROLS:
            return request_stop(recording, report.external_id)
        return report
    except ProviderError as error:
        if has_no_recorder(error):
            return None
        raise


def _wait_before(recording: Recording) -> dt.timedelta | None:
    """How long its deletion has to wait: for the end of a hold; at VAPI for its report, which may be lost."""
    if _is_on_hold(recording.call):
        return LOOK_AT_HOLD_EVERY
    ended_at = recording.call.ended_at
    is_reported = ended_at is not None and ended_at < timezone.now() - REPORTED_WITHIN
    return LOOK_AT_VAPI_EVERY if recording.source == Source.VAPI and not is_reported else None
