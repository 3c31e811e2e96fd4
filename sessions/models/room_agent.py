"""An agent's presence in a LiveKit room."""

from __future__ import annotations

from django.db import models

from agents.models.tenancy import TenantModel, TenantQuerySet
from agents.principal import Principal
from sessions.models.call import Call, CallType


class RoomAgentQuerySet(TenantQuerySet["RoomAgent"]):
    """Reads of agents in rooms."""

    def present(self) -> RoomAgentQuerySet:
        """There, or on their way."""
        return self.exclude(status=RoomAgent.Status.DISCONNECTED)

    def readable_by(self, principal: Principal) -> RoomAgentQuerySet:
        """In calls that one may read: one's own, those to oneself, those one manages, an organisation's conferences."""
        calls = Call.objects.in_rooms().reachable_by(principal)
        if not principal.sees_all:
            managed = [each for each in principal.organization_ids if principal.manages(each)]
            calls = calls.filter(
                models.Q(owner=principal.subject)
                | models.Q(callee=principal.subject)
                | models.Q(organization__in=managed)
                | models.Q(call_type=CallType.CONFERENCE)
            )
        return self.filter(call__in=calls)


class RoomAgent(TenantModel):
    """Asked for (pending), seen in the room (active), gone (disconnected). One at a time in a call.

    One that left and is not withdrawn is active again when it comes back.
    """

    class Status(models.TextChoices):
        PENDING = "pending"
        ACTIVE = "active"
        DISCONNECTED = "disconnected"

    tenant_path = "call__organization_id"

    call = models.ForeignKey(Call, models.CASCADE, related_name="room_agents")
    identity = models.CharField(max_length=120, unique=True)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.PENDING)
    is_withdrawn = models.BooleanField(default=False, help_text="Removed or given up: it may not come back.")
    dispatch_id = models.CharField(max_length=64, blank=True)
    system_prompt = models.TextField(blank=True)
    voice = models.CharField(max_length=40)
    model = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    joined_at = models.DateTimeField(null=True)
    disconnected_at = models.DateTimeField(null=True)

    objects = RoomAgentQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(
                fields=("call",), condition=~models.Q(status="disconnected"), name="one_agent_at_a_time_in_a_call"
            )
        ]

    def __str__(self) -> str:
        return f"{self.identity} ({self.status})"
