"""Ends calls over WebRTC at OpenAI, where they would go on without us: at once, or as soon as OpenAI responds."""

from __future__ import annotations

from uuid import UUID

import structlog
from django.db import transaction

from sessions.calls.models import Call, CallKind
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from voiceapp.providers.openai.client import OpenAIClient, OpenAIError

logger = structlog.get_logger("browser_calls")

TOPIC = "browser_call.hang_up"


def hang_up(call: Call) -> None:
    """Of a call that is at no OpenAI, or never was, nothing."""
    if not call.carrier_sid or call.kind != CallKind.BROWSER:
        return
    try:
        OpenAIClient.from_settings().hang_up(call.carrier_sid)
    except OpenAIError as fault:
        logger.warning("not hung up", call_id=str(call.pk), error=str(fault))
        hang_up_later(call.pk)


def hang_up_later(call_id: UUID) -> None:
    """A worker does it."""
    call = Call.objects.select_related("organization").get(pk=call_id)
    enqueue_hang_up(call, str(call.carrier_sid))


@transaction.atomic
def enqueue_hang_up(call: Call, provider_call_id: str) -> None:
    """A worker does it: of a call at OpenAI that was, or is, the call's."""
    body = {"providerCallId": provider_call_id}
    outbox.enqueue(TOPIC, partition_key=str(call.pk), body=body, organization=call.organization)


def hang_up_now(message: OutboxMessage) -> None:
    """Raises OpenAIError: retry."""
    OpenAIClient.from_settings().hang_up(str(message.body["providerCallId"]))
