"""What a company told us, once per event."""

from __future__ import annotations

from django.db import models

from agents.models.tenancy import TenantModel, TenantQuerySet
from sessions.models import Call


class ProviderEvent(TenantModel):
    """A callback of a company. `dedup_key` makes a repeated one harmless; numbers in `fields` are masked."""

    tenant_path = "call__organization_id"

    source = models.CharField(max_length=20)
    dedup_key = models.CharField(max_length=200)
    kind = models.CharField(max_length=60)
    call = models.ForeignKey(Call, models.CASCADE, null=True, related_name="provider_events")
    fields = models.JSONField(default=dict)
    received_at = models.DateTimeField(auto_now_add=True)

    objects = TenantQuerySet["ProviderEvent"].as_manager()

    class Meta:
        ordering = ("-received_at",)
        constraints = [models.UniqueConstraint(fields=("source", "dedup_key"), name="provider_events_are_kept_once")]

    def __str__(self) -> str:
        return f"{self.source} {self.kind}"
