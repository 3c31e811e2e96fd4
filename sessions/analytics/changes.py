"""What changed, for the figures of its day: written in the transaction that changes it, and counted soon after.

Each change is a row of its own, so that no two transactions wait for each other; all changes of a day are worked off
by counting that day once (services.py).
"""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from agents.organizations.models import Organization
from agents.organizations.tenancy import TenantModel, TenantQuerySet
from voiceapp.core.jobs.engine import JobQueue, Order
from voiceapp.core.jobs.models import Job
from voiceapp.core.jobs.wake_up import WakeUp

# Pages read today from the calls themselves, and it changes with each of them: counted together.
COUNTED_WITHIN = dt.timedelta(minutes=2)
# Younger than this may be today somewhere.
RECENT = dt.timedelta(hours=36)


class DayChange(TenantModel, Job):
    """A day's figures are to be counted, or what came of a call has changed, and so all days that it is counted on."""

    class Topic(models.TextChoices):
        DAY = "day"
        CALL = "call"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="day_changes")
    topic = models.CharField(max_length=8, choices=Topic, default=Topic.DAY)
    at = models.DateTimeField(_("time"), null=True, help_text=_("At which something began that has changed."))
    call_id = models.UUIDField(_("call ID"), null=True)

    objects = TenantQuerySet["DayChange"].as_manager()

    class Meta:
        ordering = ("id",)
        indexes = [
            models.Index(fields=("state", "due_at"), name="day_change_due"),
            models.Index(fields=("partition_key", "id"), name="day_change_order"),
            models.Index(fields=("organization", "at"), name="day_change_of_day"),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.call_id or self.at}"


class Recounts(JobQueue[DayChange]):
    """One day of an organization at a time; a day that cannot be counted does not keep the others waiting."""

    name = "analytics"
    model = DayChange
    order = Order.UNTIL_ATTEMPTED
    max_attempts = 10
    lease = dt.timedelta(minutes=2)
    first_wait_s = 10
    longest_wait_s = 3600
    gives_up_on_permanent_errors = True


recounts = Recounts(WakeUp("sessions.tasks.count_changed_days"))


def note_day_change(organization_id: UUID | None, *times: dt.datetime | None, call_id: UUID | None = None) -> None:
    """In the transaction of the change: what began at these times has changed, or what came of that call.

    None stands for what is not there; calls of no organization have no figures.
    """
    if organization_id is None:
        return
    now, partition_key = timezone.now(), str(organization_id)
    changes = [
        DayChange(at=at, due_at=now + COUNTED_WITHIN if at > now - RECENT else now)
        for at in dict.fromkeys(times)
        if at is not None
    ]
    if call_id is not None:
        changes.append(DayChange(topic=DayChange.Topic.CALL, call_id=call_id, due_at=now))
    for change in changes:
        change.organization_id, change.partition_key = organization_id, partition_key
    DayChange.objects.bulk_create(changes)
