"""The states of a voicemail: opened by the first of Twilio's reports, changed by guarded updates only."""

from __future__ import annotations

import datetime as dt

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from recordings.finishing.audio import Audio
from recordings.models import Recording
from sessions.analytics.changes import note_day_change
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call
from sessions.calls.services import record_event
from sessions.messages.endpoints.events import WebhookEvent
from sessions.messages.endpoints.services.announcing import TOPIC as WEBHOOK_TOPIC
from sessions.messages.endpoints.services.announcing import announce_event
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from telephony.twilio.models import MediaStream, Step
from voiceapp.providers.twilio.recordings import RECORDING_SID

from .models import Voicemail

logger = structlog.get_logger("voicemail")

LOOK_FOR = "voicemail.look_for"
FETCH = "voicemail.fetch"
TRANSCRIBE = "voicemail.transcribe"
MAIL = "voicemail.mail"
DELETE = "voicemail.delete"

# After the longest message: by then Twilio has reported it, or its report was lost.
LOOK_AFTER = dt.timedelta(minutes=5)
# A message is sent on without its transcript after this time.
TRANSCRIBED_WITHIN = dt.timedelta(minutes=2)
SHORTEST_MS = 1000
# A cough or a key is no message.
LEAST_SPEECH_MS = 240
NO_AGENT = {EndReason.AGENT_PAUSED, EndReason.AGENT_NOT_PUBLISHED, EndReason.NO_AGENT}
State = Voicemail.State


def look_for_message_later(call: Call) -> None:
    """Request the call's recordings of Twilio in some minutes: its reports may be lost, a message must not be."""
    key = f"voicemail:call:{call.pk}"
    with transaction.atomic():
        if not OutboxMessage.objects.filter(topic=LOOK_FOR, partition_key=key).exists():
            outbox.enqueue(
                LOOK_FOR,
                partition_key=key,
                body={"call": str(call.pk)},
                organization=call.organization,
                delay=LOOK_AFTER,
            )


@transaction.atomic
def open_voicemail(call: Call, *, recording_sid: str, duration_s: int | None = None) -> Voicemail | None:
    """The voicemail of a recording, once, however often Twilio reports it; None if it is no recording of the call."""
    if call.organization_id is None or not RECORDING_SID.fullmatch(recording_sid):
        return None
    voicemail, is_new = Voicemail.objects.get_or_create(
        recording_sid=recording_sid, defaults={"call": call, "why": _why_taken(call), "duration_s": duration_s}
    )
    if voicemail.call_id != call.pk:
        logger.warning("a recording is reported for two calls", recording_sid=recording_sid, call_id=str(call.pk))
        return None
    if is_new:
        _enqueue(FETCH, voicemail)
        note_day_change(call.organization_id, call_id=call.pk)
    return voicemail


def _why_taken(call: Call) -> Voicemail.Why:
    if call.end_reason == EndReason.CLOSED_HOURS:
        return Voicemail.Why.CLOSED
    if call.end_reason in NO_AGENT:
        return Voicemail.Why.NO_AGENT
    failed = MediaStream.objects.filter(call=call, next_step=Step.APOLOGIZE_AND_TAKE_MESSAGE).exists()
    return Voicemail.Why.PROVIDER_FAILED if failed else Voicemail.Why.NOBODY_THERE


@transaction.atomic
def keep_audio(voicemail: Voicemail, audio: Audio, *, bucket: str, key: str, size_bytes: int) -> bool:
    """The audio is stored here: what follows is enqueued with it. False if another worker was faster.

    A recording in which nothing was said is kept too, but is not sent to the organization.
    """
    why_empty = _why_empty(audio)
    state = State.EMPTY if why_empty else State.STORED
    fetched = Voicemail.objects.filter(pk=voicemail.pk, state__in=Voicemail.NOT_FETCHED).update(
        state=state, explanation=why_empty, duration_s=round(audio.duration_ms / 1000)
    )
    if not fetched:
        return False
    now = timezone.now()
    recording = Recording.objects.create(
        call=voicemail.call,
        source=Recording.Source.TWILIO,
        external_id=voicemail.recording_sid,
        state=Recording.State.STORED,
        file_type=Recording.FileType.WAV,
        bucket=bucket,
        key=key,
        size_bytes=size_bytes,
        duration_ms=audio.duration_ms,
        channels=audio.channels,
        peaks=audio.peaks,
        started_at=voicemail.created_at - dt.timedelta(milliseconds=audio.duration_ms),
        ended_at=voicemail.created_at,
        reported_at=now,
    )
    Voicemail.objects.filter(pk=voicemail.pk).update(recording=recording)
    record_event(voicemail.call_id, "voicemail_stored", {"duration_s": audio.duration_ms // 1000, "empty": why_empty})
    _enqueue_rest(voicemail, is_empty=bool(why_empty))
    return True


def _why_empty(audio: Audio) -> str:
    if audio.duration_ms < SHORTEST_MS:
        return f"The recording is too short ({audio.duration_ms / 1000:.1f} s)."
    return "" if max(audio.loud_ms) >= LEAST_SPEECH_MS else "The recording is silent."


def _enqueue_rest(voicemail: Voicemail, *, is_empty: bool) -> None:
    if not is_empty:
        _enqueue(TRANSCRIBE, voicemail)
        _enqueue_deliveries(voicemail, delay=TRANSCRIBED_WITHIN)
    organization = voicemail.call.organization
    if organization is not None and organization.deletes_voicemail_at_carrier:
        _enqueue(DELETE, voicemail)


def _enqueue_deliveries(voicemail: Voicemail, *, delay: dt.timedelta = dt.timedelta()) -> None:
    organization = voicemail.call.organization
    announce_event(
        WebhookEvent.VOICEMAIL_RECEIVED,
        organization_id=voicemail.call.organization_id,
        about=key_of_jobs(voicemail),
        data=lambda: {"id": str(voicemail.pk)},  # the rest is read when it is sent (delivery.py)
        delay=delay,
    )
    if organization is not None and organization.voicemail_email:
        _enqueue(MAIL, voicemail, delay=delay)


def keep_transcript(voicemail: Voicemail, text: str, *, why_not: str = "") -> None:
    """The transcription is over, with or without a text: the message is sent on now."""
    with transaction.atomic():
        Voicemail.objects.filter(pk=voicemail.pk).update(transcript=text, no_transcript=why_not[:300])
        waiting = deliveries_of(voicemail).filter(state=OutboxMessage.State.WAITING, attempts=0)
        waiting.update(due_at=timezone.now())
        outbox.wake_up_on_commit((WEBHOOK_TOPIC, MAIL))


@transaction.atomic
def lose_voicemail(voicemail: Voicemail, why: str) -> bool:
    """There is no audio to fetch: the organization gets a report of the call. False if it was fetched meanwhile."""
    not_fetched = Voicemail.objects.filter(pk=voicemail.pk, state__in=Voicemail.NOT_FETCHED)
    if not not_fetched.update(state=State.LOST, explanation=why[:300], is_at_carrier=False):
        return False
    record_event(voicemail.call_id, "voicemail_lost", {"why": why[:300]})
    _enqueue_deliveries(voicemail)
    logger.warning("voicemail lost", call_id=str(voicemail.call_id), why=why)
    return True


def note_missing(call: Call, *, recording_sid: str, status: str, error_code: str) -> None:
    """Twilio reports that it has no audio: the caller said nothing, or hung up during the tone."""
    detail = {"status": status, "error": error_code} if error_code else {"status": status}
    known = Voicemail.objects.filter(call=call, recording_sid=recording_sid).first()
    if known is not None:
        lose_voicemail(known, f"Twilio reports that the recording is {status}.")
    elif not call.events.filter(kind="message_missing").exists():
        record_event(call.id, "message_missing", detail)


def explain(voicemail: Voicemail, why: str, *, is_last: bool) -> None:
    """Why it could not be fetched. After the last attempt somebody has to repeat it."""
    state = State.FAILED if is_last else State.FETCHING
    fetching = Voicemail.objects.filter(pk=voicemail.pk, state__in=Voicemail.NOT_FETCHED)
    if fetching.update(state=state, explanation=why[:300]) and is_last:
        record_event(voicemail.call_id, "voicemail_failed", {"why": why[:300]})
        logger.warning("voicemail not fetched", call_id=str(voicemail.call_id), why=why)


@transaction.atomic
def fetch_again(voicemail: Voicemail) -> None:
    """After it was lost, or its job has failed: from the beginning."""
    unfetched = Voicemail.objects.filter(pk=voicemail.pk, state__in=(State.FAILED, State.LOST))
    unfetched.update(state=State.FETCHING, explanation="")
    _repeat(FETCH, voicemail)


@transaction.atomic
def transcribe_again(voicemail: Voicemail) -> None:
    """After OpenAI refused it, or there was no key."""
    Voicemail.objects.filter(pk=voicemail.pk).update(no_transcript="")
    _repeat(TRANSCRIBE, voicemail)


def _repeat(topic: str, voicemail: Voicemail) -> None:
    """Retry the job that is not done, or enqueue another one."""
    jobs = OutboxMessage.objects.filter(topic=topic, partition_key=key_of_jobs(voicemail))
    if not jobs.exclude(state=OutboxMessage.State.DONE).exists():
        _enqueue(topic, voicemail)
    outbox.retry(jobs)


@transaction.atomic
def send_again(voicemail: Voicemail) -> bool:
    """To all of the organization's addresses: what failed is repeated, what was sent is sent anew.

    False if no address is set.
    """
    open_deliveries = deliveries_of(voicemail).exclude(state=OutboxMessage.State.DONE)
    if not outbox.retry(open_deliveries):
        _enqueue_deliveries(voicemail)
    return deliveries_of(voicemail).exists()


def deliveries_of(voicemail: Voicemail) -> QuerySet[OutboxMessage]:
    """To the organization, the oldest first."""
    key = key_of_jobs(voicemail)
    return (
        OutboxMessage.objects.filter(Q(about=key) | Q(topic=MAIL, partition_key=key))
        .select_related("endpoint")
        .order_by("id")
    )


def mark_heard(voicemail: Voicemail, *, by: str) -> bool:
    """The first listener stays. False if it had been heard."""
    return bool(
        Voicemail.objects.filter(pk=voicemail.pk, heard_at=None).update(heard_at=timezone.now(), heard_by=by[:150])
    )


def mark_new(voicemail: Voicemail) -> None:
    Voicemail.objects.filter(pk=voicemail.pk).update(heard_at=None, heard_by="")


def _enqueue(topic: str, voicemail: Voicemail, *, delay: dt.timedelta = dt.timedelta()) -> None:
    outbox.enqueue(
        topic,
        partition_key=key_of_jobs(voicemail),
        body={"voicemail": str(voicemail.pk)},
        organization=voicemail.call.organization,
        delay=delay,
    )


def key_of_jobs(voicemail: Voicemail) -> str:
    return f"voicemail:{voicemail.pk}"
