"""Who may come into a call's room, and who was there."""

from __future__ import annotations

import datetime as dt

from django.db import models
from django.utils.translation import gettext_lazy as _

from agents.organizations.principal import Principal
from agents.organizations.tenancy import TenantModel, TenantQuerySet
from sessions.calls.masked_numbers import masked_in
from sessions.calls.models import Call, CallType

LEAVING_IS_EXACT_TO = dt.timedelta(seconds=1)


class RoomToken(TenantModel):
    """An identity for one room, issued with a signed token. It says whose it is, and in which role."""

    class Role(models.TextChoices):
        CALLER = "caller"
        CALLEE = "callee"
        MEMBER = "member"
        AGENT = "agent"

    tenant_path = "call__organization_id"

    call = models.ForeignKey(Call, models.CASCADE, related_name="room_tokens")
    identity = models.CharField(max_length=120, unique=True)
    subject = models.CharField(max_length=100, blank=True)
    role = models.CharField(max_length=8, choices=Role.choices)
    name = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantQuerySet["RoomToken"].as_manager()

    class Meta:
        verbose_name = _("room token")
        ordering = ("id",)

    def __str__(self) -> str:
        """In titles and logs, where nobody asks who may see a phone's number."""
        return f"{masked_in(self.identity)} ({self.get_role_display().lower()})"


class Participant(TenantModel):
    """One presence in a room, by LiveKit's `sid`: who leaves and comes back is there twice.

    LiveKit reports joining and leaving in any order; each is saved when it arrives.
    """

    class Kind(models.TextChoices):
        PERSON = "person"
        AGENT = "agent"
        MACHINE = "machine"

    tenant_path = "call__organization_id"

    call = models.ForeignKey(Call, models.CASCADE, related_name="participants")
    sid = models.CharField(_("LiveKit SID"), max_length=64)
    identity = models.CharField(max_length=255)
    name = models.CharField(max_length=255, blank=True)
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.PERSON)
    joined_at = models.DateTimeField(null=True)
    left_at = models.DateTimeField(null=True)

    objects = TenantQuerySet["Participant"].as_manager()

    class Meta:
        verbose_name = _("room participant")
        ordering = ("id",)
        constraints = [models.UniqueConstraint(fields=("call", "sid"), name="presences_are_kept_once")]

    def __str__(self) -> str:
        """In titles and logs, where nobody asks who may see a phone's number."""
        return masked_in(self.known_as)

    @property
    def known_as(self) -> str:
        return self.name or self.identity

    @property
    def surely_until(self) -> dt.datetime | None:
        """LiveKit reports leaving to the second: no conversation may last longer than that."""
        if self.left_at is None or self.joined_at is None:
            return None
        return max(self.joined_at, self.left_at - LEAVING_IS_EXACT_TO)


class RoomAgentQuerySet(TenantQuerySet["RoomAgent"]):
    """Reads of agents in rooms."""

    def present(self) -> RoomAgentQuerySet:
        """There, or on their way."""
        return self.exclude(status=RoomAgent.Status.DISCONNECTED)

    def readable_by(self, principal: Principal) -> RoomAgentQuerySet:
        """Of calls that the principal may read: as owner, recipient or manager, or a conference in reach."""
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
    """Requested (pending), seen in the room (active), gone (disconnected). One at a time in a call.

    One that left and is not withdrawn is active again when it comes back. Another worker takes its place, under the
    same identity, if it does not come (`tries`) or is lost while somebody is in the room (`replaced_at`): once each.
    """

    class Status(models.TextChoices):
        PENDING = "pending"
        ACTIVE = "active"
        DISCONNECTED = "disconnected"

    tenant_path = "call__organization_id"

    call = models.ForeignKey(Call, models.CASCADE, related_name="room_agents")
    identity = models.CharField(max_length=120, unique=True)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.PENDING)
    is_withdrawn = models.BooleanField(
        _("withdrawn"), default=False, help_text=_("Removed or failed to join: it may not come back.")
    )
    never_joined = models.BooleanField(default=False, help_text=_("No worker came in time."))
    tries = models.PositiveSmallIntegerField(default=1, help_text=_("How often LiveKit was requested to send it."))
    replaced_at = models.DateTimeField(
        null=True, help_text=_("When another worker was requested for one that was lost.")
    )
    is_silent = models.BooleanField(_("silent"), default=False, help_text=_("It listens and does not speak."))
    job_id = models.CharField(_("job ID"), max_length=64, blank=True, help_text=_("LiveKit's job that carries it."))
    dispatch_id = models.CharField(_("dispatch ID"), max_length=64, blank=True)
    system_prompt = models.TextField(blank=True)
    voice = models.CharField(max_length=80)
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

    @property
    def has_failed(self) -> bool:
        """No worker came, or that which came in the place of a lost one was lost too: no other one is requested."""
        is_lost_again = self.status == self.Status.DISCONNECTED and self.replaced_at is not None
        return self.never_joined or (is_lost_again and not self.is_withdrawn)
