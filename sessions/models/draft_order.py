"""What a call is making: one row per call, whose version rises with every change."""

from __future__ import annotations

from django.db import models

from agents.models.tenancy import TenantModel, TenantQuerySet

from .call import Call


class DraftOrder(TenantModel):
    """The lines as JSON (the shape is `sessions.draft`'s), and which version was read back at which caller's turn."""

    tenant_path = "call__organization_id"

    call = models.OneToOneField(Call, models.CASCADE, related_name="draft_order")
    version = models.PositiveIntegerField(default=0)
    lines = models.JSONField(default=list)
    read_back_version = models.PositiveIntegerField(null=True)
    read_back_turn = models.PositiveIntegerField(null=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = TenantQuerySet["DraftOrder"].as_manager()

    def __str__(self) -> str:
        return f"Draft, version {self.version}"
