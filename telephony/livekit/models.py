"""What a company told us, once per event, and how far it has been worked off."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from agents.organizations.tenancy import TenantModel, TenantQuerySet
from sessions.calls.models import Call


class ProviderEvent(TenantModel):
    """A callback of a company. `dedup_key` makes a repeated one harmless; numbers in `fields` are masked.

    Most are worked off where they arrive. One that waits is worked off by the queue, in the order of `id` per `lane`.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        DONE = "done"
        DEAD = "dead", "given up"

    tenant_path = "call__organization_id"

    source = models.CharField(max_length=20)
    dedup_key = models.CharField(max_length=200)
    kind = models.CharField(max_length=60)
    call = models.ForeignKey(Call, models.CASCADE, null=True, related_name="provider_events")
    fields = models.JSONField(default=dict)
    received_at = models.DateTimeField(auto_now_add=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.DONE)
    lane = models.CharField(max_length=128, blank=True, help_text="What it is about: a room. One at a time of it.")
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    claimed_until = models.DateTimeField(null=True)
    worked_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=300, blank=True)

    objects = TenantQuerySet["ProviderEvent"].as_manager()

    class Meta:
        ordering = ("-received_at",)
        constraints = [models.UniqueConstraint(fields=("source", "dedup_key"), name="provider_events_are_kept_once")]
        indexes = [
            models.Index(fields=("state", "id"), name="provider_event_in_order"),
            models.Index(fields=("state", "lane", "id"), name="provider_event_of_lane"),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.kind}"
