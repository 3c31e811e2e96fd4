"""Keeping greetings: a worker has each spoken once. Nobody waits for it; calls before that are greeted by the model."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from voiceapp.core.jobs.engine import JobQueue, Order
from voiceapp.core.jobs.wake_up import WakeUp

from .models import NEVER_KEPT, Greeting, KeptGreeting

State = KeptGreeting.State


class GreetingQueue(JobQueue[KeptGreeting]):
    """The handler of a provider stores the audio in the row (telephony/live/greeting_maker.py)."""

    name = "greetings"
    model = KeptGreeting
    order = Order.UNTIL_ATTEMPTED
    max_attempts = 8
    lease = dt.timedelta(seconds=45)
    first_wait_s = 5
    longest_wait_s = 1800
    gives_up_on_permanent_errors = True


greetings = GreetingQueue(WakeUp("agents.tasks.make_greetings"))


def keep_greeting(organization_id: UUID, greeting: Greeting) -> None:
    """Have it spoken after the commit, unless that was done before. One that failed gets all its attempts again."""
    if not settings.KEEP_GREETINGS or greeting.provider in NEVER_KEPT:
        return
    row, is_new = KeptGreeting.objects.defer("audio").get_or_create(
        organization_id=organization_id, **asdict(greeting), defaults={"partition_key": str(organization_id)}
    )
    if is_new:
        greetings.wake_up_on_commit([greeting.provider])
    elif row.state in (State.FAILED, State.UNCONFIGURED):
        greetings.retry(KeptGreeting.objects.filter(pk=row.pk))


def keep_greeting_again(organization_id: UUID, greeting: Greeting) -> None:
    """Have it spoken anew. Until then the model greets the callers."""
    keep_greeting(organization_id, greeting)
    KeptGreeting.objects.filter(organization=organization_id, **asdict(greeting)).update(
        state=State.WAITING, attempts=0, due_at=timezone.now(), last_error=""
    )
    greetings.wake_up_on_commit([greeting.provider])
