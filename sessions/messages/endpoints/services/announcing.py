"""Announces an event to each endpoint that wants it, in the transaction that makes the event true."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from uuid import UUID

from django.utils import timezone

from sessions.messages.endpoints.events import WebhookEvent
from sessions.messages.endpoints.models import WebhookEndpoint
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox

TOPIC = "webhook"
NO_DELAY = dt.timedelta()


def announce_event(
    event: WebhookEvent,
    *,
    organization_id: UUID | None,
    about: str,
    data: Callable[[], Mapping[str, object]],
    in_order_of: str = "",
    delay: dt.timedelta = NO_DELAY,
) -> int:
    """One message for each endpoint of the organization that receives the event; how many there are.

    `about` names the row, like `order:<id>`. An endpoint receives the events of the same `in_order_of` (by default of
    the same row) in order. `data` is called only where somebody wants it. Paused endpoints keep their messages.
    """
    if organization_id is None:
        return 0
    wanted = [each for each in endpoints_of(organization_id) if event in each.events]
    if not wanted:
        return 0
    body = {"type": event.value, "timestamp": utc_ms(timezone.now()), "data": dict(data())}
    for endpoint in wanted:
        enqueue_for(endpoint, event, body=body, about=about, in_order_of=in_order_of, delay=delay)
    return len(wanted)


def enqueue_for(
    endpoint: WebhookEndpoint,
    event: WebhookEvent,
    *,
    body: Mapping[str, object],
    about: str,
    in_order_of: str = "",
    delay: dt.timedelta = NO_DELAY,
) -> OutboxMessage:
    return outbox.enqueue(
        TOPIC,
        partition_key=f"{endpoint.pk}|{in_order_of or about}",
        body=body,
        organization=endpoint.organization,
        delay=delay,
        event=event.value,
        endpoint_id=endpoint.pk,
        about=about,
    )


def endpoints_of(organization_id: UUID) -> list[WebhookEndpoint]:
    return list(WebhookEndpoint.objects.filter(organization_id=organization_id).select_related("organization"))


def utc_ms(at: dt.datetime) -> str:
    """ISO 8601 in UTC with milliseconds and a Z."""
    return f"{at.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"
