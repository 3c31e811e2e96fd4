"""The steps of a voicemail as jobs of the outbox. Each may run twice, and die at any point."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from recordings.files import read_file, store_file
from recordings.finishing.audio import NoAudio as BadFile
from recordings.finishing.audio import read_audio
from recordings.models import Recording
from recordings.transcription import transcribe
from sessions.calls.models import Call
from sessions.messages.endpoints.events import WebhookEvent
from sessions.messages.endpoints.services.delivering import data_when_sent
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from voiceapp.core.jobs.patience import with_patience
from voiceapp.core.transactions import release_connections
from voiceapp.providers.errors import ProviderError
from voiceapp.providers.openai.errors import OpenAIError
from voiceapp.providers.twilio.recordings import SOURCE_OF_RECORD_VERB, NeverRecorded, NoAudio, TwilioRecordings

from . import services
from .delivery import data_of_webhook, mail_voicemail
from .models import Voicemail

# Twilio has a message within seconds. What it does not know by then was deleted.
AT_CARRIER_WITHIN = dt.timedelta(minutes=10)
MOST_TRANSCRIPTIONS = 6
LAYOUT_OF_KEYS = "recordings/{tenant}/{created_at:%Y/%m}/{id}.wav"


def register_all() -> None:
    """Called once, when the app is ready."""
    outbox.register(services.LOOK_FOR, look_for_messages)
    outbox.register(services.FETCH, fetch_audio)
    outbox.register(services.TRANSCRIBE, transcribe_voicemail)
    outbox.register(services.MAIL, mail_voicemail)
    outbox.register(services.DELETE, delete_at_carrier)
    data_when_sent[WebhookEvent.VOICEMAIL_RECEIVED] = data_of_webhook


def look_for_messages(message: OutboxMessage) -> None:
    """Open what Twilio recorded of a call and no report has brought."""
    call = Call.objects.select_related("organization").filter(pk=message.body["call"]).first()
    if call is None or not call.carrier_sid:
        return
    release_connections()
    for found in TwilioRecordings.from_settings().of_call(call.carrier_sid):
        if found.source == SOURCE_OF_RECORD_VERB and not found.has_no_audio:
            services.open_voicemail(call, recording_sid=found.sid, duration_s=found.duration_s)


def fetch_audio(message: OutboxMessage) -> None:
    """Fetch, check and store the audio. Raises ProviderError while Twilio does not have it or does not respond."""
    voicemail = _find(message)
    if voicemail is None or voicemail.state not in Voicemail.NOT_FETCHED:
        return
    release_connections()
    key = key_of(voicemail)
    try:
        content = TwilioRecordings.from_settings().download(voicemail.recording_sid)
        audio = read_audio(content)
        bucket = store_file(key, content, file_type=Recording.FileType.WAV)
    except (NoAudio, BadFile) as exc:
        # What is missing may still come, while the message is young.
        if timezone.now() > voicemail.created_at + AT_CARRIER_WITHIN:
            services.lose_voicemail(voicemail, str(exc))
            return
        fault = ProviderError("twilio", str(exc))
    except NeverRecorded as exc:
        services.lose_voicemail(voicemail, str(exc))
        return
    except ProviderError as exc:
        fault = exc
    else:
        services.keep_audio(voicemail, audio, bucket=bucket, key=key, size_bytes=len(content))
        return
    is_last = fault.permanent or message.attempts >= outbox.max_attempts
    services.explain(voicemail, f"Not fetched yet: {fault}", is_last=is_last)
    raise with_patience(fault, since=voicemail.created_at)


def key_of(voicemail: Voicemail) -> str:
    """The same at every attempt: a worker that dies leaves no second file."""
    return LAYOUT_OF_KEYS.format(
        tenant=voicemail.call.organization_id, created_at=voicemail.created_at, id=voicemail.pk
    )


def transcribe_voicemail(message: OutboxMessage) -> None:
    """Raises ProviderError for what may pass, a few times: the message is sent on without a text then."""
    voicemail = _find(message)
    if voicemail is None or voicemail.recording is None or voicemail.transcript:
        return
    language = voicemail.call.agent_version.language if voicemail.call.agent_version else ""
    try:
        audio = read_file(voicemail.recording)
        release_connections()
        text = transcribe(audio, language=language)
    except ProviderError as exc:
        if not exc.permanent and message.attempts < MOST_TRANSCRIPTIONS:
            # Without the wait that OpenAI may name: such waits are not counted as attempts.
            raise ProviderError(exc.provider, exc.reason) from exc
        why = exc.public_message if isinstance(exc, OpenAIError) else str(exc)
        services.keep_transcript(voicemail, "", why_not=why)
        return
    services.keep_transcript(voicemail, text, why_not="" if text else "OpenAI recognized no speech.")


def delete_at_carrier(message: OutboxMessage) -> None:
    """Only what is stored here. Raises ProviderError."""
    voicemail = _find(message)
    if voicemail is None or voicemail.recording is None or not voicemail.is_at_carrier:
        return
    release_connections()
    TwilioRecordings.from_settings().delete(voicemail.recording_sid)
    Voicemail.objects.filter(pk=voicemail.pk).update(is_at_carrier=False)


def _find(message: OutboxMessage) -> Voicemail | None:
    found = Voicemail.objects.select_related("call__organization", "call__agent_version", "recording")
    return found.filter(pk=message.body["voicemail"]).first()
