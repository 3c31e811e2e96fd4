"""Creates, pauses and tests endpoints, rotates their secrets, and sends again what was not delivered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from agents.organizations.models import Organization
from sessions.messages.endpoints.events import CHOOSABLE, WebhookEvent
from sessions.messages.endpoints.models import ROTATION_OVERLAP, WebhookAttempt, WebhookEndpoint
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from voiceapp.core.batches import delete_in_batches
from voiceapp.core.errors import ApplicationError
from voiceapp.core.secret_box import SealBroken
from voiceapp.providers.errors import ProviderError
from voiceapp.providers.webhook_receiver import WebhookReceiver
from voiceapp.providers.webhook_signature import new_secret

from .announcing import enqueue_for, utc_ms

MOST_ENDPOINTS = 10
# A worker sends the test if this process dies before it has.
TEST_DELAY = dt.timedelta(seconds=60)
State = OutboxMessage.State


def create_endpoint(
    organization: Organization, *, name: str, url: str, events: Iterable[str], secret: str = ""
) -> WebhookEndpoint:
    """With a new secret, unless one is given (`whsec_…`). Raises ApplicationError."""
    check_url(url)
    endpoint = WebhookEndpoint(organization=organization, name=name, url=url, events=known_events(events))
    endpoint.secret = secret or new_secret()
    endpoint.save()
    return endpoint


def check_room(organization: Organization) -> None:
    """Raises ApplicationError where an organization has as many as it may have."""
    if WebhookEndpoint.objects.filter(organization=organization).count() >= MOST_ENDPOINTS:
        raise ApplicationError(
            gettext("An organization has at most %(most_endpoints)s webhook endpoints. Delete one first.")
            % {"most_endpoints": MOST_ENDPOINTS}
        )


def check_url(url: str) -> None:
    """Raises ApplicationError for one that nothing would be posted to. Its name is resolved at each attempt."""
    try:
        WebhookReceiver.from_settings().check(url)
    except ProviderError as fault:
        raise ApplicationError(
            gettext("Nothing can be posted there: %(reason_of)s. Enter a public URL that starts with https://.")
            % {"reason_of": fault.reason}
        ) from fault


def known_events(events: Iterable[str]) -> list[str]:
    """Those that exist, once each, in the order of their definition."""
    wanted = set(events)
    return [event.value for event in CHOOSABLE if event in wanted]


def rotate_secret(endpoint: WebhookEndpoint) -> str:
    """The new secret. The earlier one signs, too, for a day."""
    secret, now = new_secret(), timezone.now()
    with transaction.atomic():
        row = WebhookEndpoint.objects.select_for_update(of=("self",)).get(pk=endpoint.pk)
        try:
            _ = row.secret
        except SealBroken:
            row.sealed_earlier_secret, row.earlier_secret_until = "", None
        else:
            row.sealed_earlier_secret, row.earlier_secret_until = row.sealed_secret, now + ROTATION_OVERLAP
        row.secret = secret
        row.save(update_fields=["sealed_secret", "sealed_earlier_secret", "earlier_secret_until"])
    return secret


def pause_endpoint(endpoint: WebhookEndpoint) -> None:
    rows = WebhookEndpoint.objects.filter(pk=endpoint.pk, paused_at=None)
    rows.update(paused_at=timezone.now(), pause_reason="")


def resume_endpoint(endpoint: WebhookEndpoint) -> None:
    """What was kept meanwhile is sent when somebody replays it."""
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(paused_at=None, pause_reason="", failing_since=None)


def undelivered(endpoint: WebhookEndpoint) -> QuerySet[OutboxMessage]:
    """Nothing sends these by itself: they failed for good, or were kept while the endpoint was paused."""
    return OutboxMessage.objects.filter(endpoint=endpoint, state__in=(State.FAILED, State.UNCONFIGURED))


def replay_undelivered(endpoint: WebhookEndpoint) -> int:
    """In their order, each with the id that it had. Raises ApplicationError while the endpoint is paused."""
    endpoint.refresh_from_db()
    if endpoint.is_paused:
        raise ApplicationError(gettext("The endpoint is paused: resume it first."))
    with transaction.atomic():
        return outbox.retry(undelivered(endpoint))


def send_test(endpoint: WebhookEndpoint) -> WebhookAttempt | None:
    """Send a test event now, signed and logged like every other; what came of it. Call it outside a transaction.

    Raises ApplicationError while the endpoint is paused. None if a worker was faster.
    """
    endpoint.refresh_from_db()
    if endpoint.is_paused:
        raise ApplicationError(gettext("The endpoint is paused: resume it first."))
    data = {"endpointId": str(endpoint.pk), "message": gettext("A test event. Nothing happened.")}
    body = {"type": WebhookEvent.TEST.value, "timestamp": utc_ms(timezone.now()), "data": data}
    about = f"test:{utc_ms(timezone.now())}"
    with transaction.atomic():
        message = enqueue_for(endpoint, WebhookEvent.TEST, body=body, about=about, delay=TEST_DELAY)
    outbox.process_now(message)
    return WebhookAttempt.objects.filter(message=message).order_by("-id").first()


def purge_attempts() -> int:
    """Delete the log of attempts that are older than it is kept; how many there were."""
    kept_since = timezone.now() - dt.timedelta(days=settings.WEBHOOK_LOG_DAYS)
    return delete_in_batches(WebhookAttempt.objects.filter(at__lt=kept_since))
