"""What is owed to another system: delivered only after the receiver answered."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from agents.organizations.models import Organization
from agents.organizations.tenancy import TenantModel, TenantQuerySet


class OutboxMessage(TenantModel):
    """A topic, a key, a body, an id. In the order of `id` per (topic, key) until one is dead; then the key goes on."""

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        DONE = "done", "delivered"
        DEAD = "dead", "failed"
        # Nobody is named who wants it: no success, and nothing that a retry mends before somebody is.
        UNCONFIGURED = "unconfigured", "not configured"

    message_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, null=True, related_name="outbox")
    topic = models.CharField(max_length=40)
    key = models.CharField(max_length=100)
    body = models.JSONField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    claimed_until = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    done_at = models.DateTimeField(null=True)

    objects = TenantQuerySet["OutboxMessage"].as_manager()

    class Meta:
        ordering = ("id",)
        indexes = [
            models.Index(fields=("state", "due_at"), name="outbox_due"),
            models.Index(fields=("topic", "key", "id"), name="outbox_order_per_key"),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.message_id}"

    @property
    def is_failing(self) -> bool:
        """It waits because the last try failed."""
        return self.state == self.State.WAITING and bool(self.last_error)

    @property
    def state_words(self) -> str:
        """What is true of it now, for people."""
        return f"failing, {self.attempts} tried" if self.is_failing else self.get_state_display()
