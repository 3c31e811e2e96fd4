"""The outbox: messages written in the transaction that makes them true, and sent until the receiver has responded."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from uuid import UUID

from django.utils import timezone

from agents.organizations.models import Organization
from voiceapp.core.jobs.engine import JobQueue, Order
from voiceapp.core.jobs.wake_up import WakeUp

from .models import OutboxMessage


class Outbox(JobQueue[OutboxMessage]):
    name = "outbox"
    model = OutboxMessage
    order = Order.UNTIL_DONE
    max_attempts = 10
    lease = dt.timedelta(seconds=30)
    first_wait_s = 5
    longest_wait_s = 3600
    gives_up_on_permanent_errors = True
    isolate_by = ("organization_id", "endpoint_id")

    def enqueue(
        self,
        topic: str,
        *,
        partition_key: str,
        body: Mapping[str, object],
        organization: Organization | None,
        delay: dt.timedelta = dt.timedelta(),
        event: str = "",
        endpoint_id: UUID | None = None,
        about: str = "",
    ) -> OutboxMessage:
        """Write a message in the caller's transaction; a worker is woken up after the commit.

        `event`, `endpoint_id` and `about` are those of a webhook (endpoints/services/announcing.py).
        """
        message = OutboxMessage.objects.create(
            topic=topic,
            partition_key=partition_key,
            body=dict(body),
            organization=organization,
            due_at=timezone.now() + delay,
            event=event,
            endpoint_id=endpoint_id,
            about=about,
        )
        self.wake_up_on_commit([topic])
        return message


outbox = Outbox(WakeUp("sessions.tasks.deliver_outbox"))
