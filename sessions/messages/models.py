"""What must be sent to another system: done only after the receiver responded."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from agents.organizations.models import Organization
from agents.organizations.tenancy import TenantModel, TenantQuerySet
from voiceapp.core.jobs.models import Job


class OutboxMessage(TenantModel, Job):
    """Sent in the order of `id` per topic and partition key, until one fails for good; then the next one follows.

    A webhook has an `event` and an `endpoint`, and `about` names the row that it speaks of, like `order:<id>`.
    """

    done_label = _("Delivered")

    message_id = models.UUIDField(_("message ID"), unique=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, null=True, related_name="outbox")
    topic = models.CharField(max_length=40)
    event = models.CharField(max_length=40, blank=True)
    endpoint = models.ForeignKey("voice_sessions.WebhookEndpoint", models.SET_NULL, null=True, related_name="messages")
    about = models.CharField(max_length=100, blank=True)
    body = models.JSONField()

    objects = TenantQuerySet["OutboxMessage"].as_manager()

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        ordering = ("id",)
        indexes = [
            models.Index(fields=("state", "due_at"), name="outbox_due"),
            models.Index(fields=("topic", "partition_key", "id"), name="outbox_order_in_partition"),
            models.Index(fields=("about",), name="outbox_about", condition=~models.Q(about="")),
        ]

    def __str__(self) -> str:
        return f"{self.event or self.topic} {self.message_id}"
