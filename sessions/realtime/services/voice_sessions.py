"""Voice sessions: minted by OpenAI, recorded for 30 days, announced on a queue."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from agents.organizations.models import Organization
from agents.organizations.principal import Principal
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from sessions.realtime.models import LIVES_FOR, VoiceSession
from voiceapp.core.api.timestamps import iso_z
from voiceapp.core.batches import delete_in_batches
from voiceapp.core.jobs.retention import KEPT_FOR
from voiceapp.core.transactions import release_connections
from voiceapp.providers.openai.client import ClientSecret, OpenAIClient, OpenAIError, OpenAIErrorKind, browser_session
from voiceapp.providers.openai.fields import fit_model, fit_session

from .instructions import default_persona, instructions_of, with_custom

logger = structlog.get_logger("voice_sessions")

TOPIC = "voice_session.created"
LONGEST_SESSION_ID = 100
PURGED_AT_ONCE = 500
# A later session of the same id, should OpenAI ever repeat one, keeps its own message.
ANNOUNCED_LONG_AGO = LIVES_FOR - dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class OpenedVoiceSession:
    """The record, and the secret, which only the response contains."""

    record: VoiceSession
    secret: ClientSecret


def open_voice_session(
    principal: Principal, *, instructions: str = "", is_text_only: bool = False
) -> OpenedVoiceSession:
    """Have OpenAI mint a secret, then record and announce the session. Raises OpenAIError, and then nothing is kept."""
    persona = default_persona(principal.organization_id)
    model, replaced = fit_model((persona.model if persona else "") or settings.OPENAI_REALTIME_MODEL)
    session, more = fit_session(
        browser_session(
            model=model,
            voice=(persona.voice if persona else "") or settings.OPENAI_VOICE,
            instructions=with_custom(instructions_of(persona), instructions),
            transcription_model=settings.OPENAI_TRANSCRIPTION_MODEL,
            is_text_only=is_text_only,
        )
    )
    for each in (*replaced, *more):
        logger.warning("field replaced", field=each.field, was=each.was, now=each.now)
    release_connections()
    secret = OpenAIClient.from_settings().create_client_secret(session, expires_after_s=settings.REALTIME_SECRET_LIFE_S)
    if not 0 < len(secret.session_id) <= LONGEST_SESSION_ID:
        raise OpenAIError(OpenAIErrorKind.MALFORMED_RESPONSE, "returned no session id", status=200)
    model = secret.model or str(session["model"])
    return OpenedVoiceSession(_record(principal, secret.session_id, model[:80], is_text_only=is_text_only), secret)


@transaction.atomic
def _record(principal: Principal, session_id: str, model: str, *, is_text_only: bool) -> VoiceSession:
    """The record and the message that announces it, both or neither."""
    created_at = timezone.now().replace(microsecond=0)
    organization_id = principal.organization_id
    organization = Organization.objects.filter(pk=organization_id).first() if organization_id else None
    record = VoiceSession.objects.create(
        session_id=session_id,
        organization=organization,
        owner=principal.subject,
        model=model,
        is_text_only=is_text_only,
        created_at=created_at,
        expires_at=created_at + LIVES_FOR,
    )
    outbox.enqueue(TOPIC, partition_key=session_id, body=announcement_of(record), organization=organization)
    return record


def announcement_of(record: VoiceSession) -> dict[str, object]:
    """What is sent on the queue, exactly. `ttl` is what DynamoDB deletes by: whole seconds of the epoch."""
    return {
        "sessionId": record.session_id,
        "userId": record.owner,
        "createdAt": iso_z(record.created_at),
        "expiresAt": iso_z(record.expires_at),
        "ttl": int(record.expires_at.timestamp()),
    }


def purge_voice_sessions() -> int:
    """Delete what has expired, and what the outbox still knows of it unless it waits; how many records there were."""
    purged = 0
    expired = VoiceSession.objects.expired().order_by("expires_at").values_list("pk", "session_id")
    while batch := list(expired[:PURGED_AT_ONCE]):
        with transaction.atomic():
            OutboxMessage.objects.filter(
                topic=TOPIC,
                partition_key__in=[session_id for _, session_id in batch],
                state=OutboxMessage.State.DONE,
                created_at__lt=timezone.now() - ANNOUNCED_LONG_AGO,
            ).delete()
            VoiceSession.objects.filter(pk__in=[pk for pk, _ in batch]).delete()
        purged += len(batch)
    # No queue was ever configured for them, and their sessions are long gone.
    unsent = OutboxMessage.objects.filter(topic=TOPIC, state=OutboxMessage.State.WAITING)
    delete_in_batches(unsent.filter(created_at__lt=timezone.now() - KEPT_FOR))
    return purged
