"""Delivers a webhook: one signed request per attempt, which is logged, and the health of its endpoint."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from agents.organizations.actor import acting_as, worker
from sessions.messages.endpoints.events import WebhookEvent
from sessions.messages.endpoints.models import LONGEST_REASON, WebhookAttempt, WebhookEndpoint
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from voiceapp.core.jobs.engine import NotConfigured
from voiceapp.core.jobs.patience import with_patience
from voiceapp.core.kept_texts import KeptText
from voiceapp.core.secret_box import SealBroken
from voiceapp.core.transactions import release_connections
from voiceapp.providers.errors import ProviderError
from voiceapp.providers.webhook_receiver import Attempt, WebhookReceiver

from .announcing import TOPIC

logger = structlog.get_logger("webhooks")

# The longest wait between two attempts of the first day.
LONGEST_WAIT_S = 3600.0
DELETED = KeptText("The endpoint was deleted.")
PAUSED = KeptText("The endpoint is paused. Resume it on its page, then choose “Replay”.")
SEALED = KeptText(
    "The endpoint's secret cannot be decrypted: SECRET_KEY has changed. Choose “Rotate secret” on the endpoint's page, "
    "or add the earlier key to SECRET_KEY_FALLBACKS."
)
# By event, for data that is made when it is sent, such as a link that is valid for minutes: the `data` of the message,
# or None if there is nothing to send any more. Registered from above.
data_when_sent: dict[str, Callable[[OutboxMessage], Mapping[str, object] | None]] = {}


def deliver_webhook(message: OutboxMessage) -> None:
    """The outbox's handler. Raises NotConfigured and ProviderError."""
    endpoint = message.endpoint
    if endpoint is None:
        raise NotConfigured(DELETED)
    if endpoint.is_paused:
        raise NotConfigured(PAUSED)
    try:
        secrets = endpoint.secrets_at(timezone.now())
    except SealBroken as exc:
        raise NotConfigured(SEALED) from exc
    body = body_of(message)
    if body is None:
        return
    release_connections()
    attempt = WebhookReceiver.from_settings().post(
        endpoint.url, secrets=secrets, webhook_id=str(message.message_id), body=body
    )
    log_attempt(message, attempt)
    if attempt.fault is None:
        _succeeded(endpoint)
        return
    _failed(endpoint, attempt)
    if message.event == WebhookEvent.TEST:
        # Whoever requested it sees what came of it, and requests another one.
        raise ProviderError(attempt.fault.provider, attempt.fault.reason, permanent=True) from attempt.fault
    raise with_patience(attempt.fault, since=message.created_at, longest_s=LONGEST_WAIT_S) from attempt.fault


def body_of(message: OutboxMessage) -> bytes | None:
    """What is posted; None if there is nothing to send any more. The same bytes for each attempt, except for data that
    is made when it is sent."""
    make = data_when_sent.get(message.event)
    data = message.body["data"] if make is None else make(message)
    if data is None:
        return None
    return json.dumps({**message.body, "data": data}, ensure_ascii=False, separators=(",", ":")).encode()


def log_attempt(message: OutboxMessage, attempt: Attempt) -> None:
    WebhookAttempt.objects.create(
        message=message,
        status=attempt.status,
        error="" if attempt.fault is None else str(attempt.fault)[:300],
        duration_ms=attempt.duration_ms,
        request_headers=dict(attempt.request_headers),
        response_headers=dict(attempt.headers),
        response_body=attempt.body,
    )


def _succeeded(endpoint: WebhookEndpoint) -> None:
    """What waits for the endpoint because it failed before is sent now."""
    now = timezone.now()
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(last_success_at=now)
    with transaction.atomic():
        if WebhookEndpoint.objects.filter(pk=endpoint.pk, failing_since__isnull=False).update(failing_since=None):
            waiting = OutboxMessage.objects.filter(endpoint=endpoint, state=OutboxMessage.State.WAITING)
            waiting.exclude(last_error="").update(due_at=now)
            outbox.wake_up_on_commit([TOPIC])


def _failed(endpoint: WebhookEndpoint, attempt: Attempt) -> None:
    now = timezone.now()
    row = WebhookEndpoint.objects.filter(pk=endpoint.pk)
    row.filter(failing_since=None).update(failing_since=now)
    days = settings.WEBHOOK_PAUSE_AFTER_DAYS
    if attempt.is_gone:
        why = KeptText("It responded 410 Gone: it wants no more webhooks.")
    elif days and row.filter(failing_since__lte=now - dt.timedelta(days=days)).exists():
        why = KeptText(
            "Every delivery has failed for %(days)d days. The last one: %(error)s.", days=days, error=str(attempt.fault)
        )
    else:
        return
    with acting_as(worker("webhook deliveries")):
        is_paused_now = row.filter(paused_at=None).update(paused_at=now, pause_reason=why[:LONGEST_REASON])
    if is_paused_now:
        logger.error("webhook endpoint paused", endpoint=str(endpoint.pk), why=why)
