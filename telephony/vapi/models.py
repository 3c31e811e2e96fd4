"""What we know of VAPI's calls and assistants."""

from __future__ import annotations

from django.db import models

from agents.configuration.models import Agent
from agents.organizations.tenancy import TenantModel, TenantQuerySet
from sessions.calls.models import Call


class VapiLeg(TenantModel):
    """A call at VAPI that plays the agent of one of our calls. One of ours may have several: a link may be lost.

    Addresses of recordings are kept as text and never fetched: they expire, and one alone lets one listen.
    """

    tenant_path = "call__organization_id"

    vapi_id = models.CharField("VAPI call ID", max_length=64, unique=True)
    call = models.ForeignKey(Call, models.CASCADE, related_name="vapi_legs")
    carries_phone = models.BooleanField(
        "phone call at VAPI",
        default=False,
        help_text="The caller dialed a number of VAPI's: no audio passes through us.",
    )
    assistant_id = models.CharField("assistant ID", max_length=64, blank=True)
    status = models.CharField(max_length=24, blank=True, help_text="VAPI's code, like in-progress.")
    ended_reason = models.CharField(max_length=120, blank=True, help_text="VAPI's code, like customer-ended-call.")
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    cost_usd = models.DecimalField("cost (USD)", max_digits=10, decimal_places=6, null=True)
    costs = models.JSONField(default=list, help_text="Its parts, as VAPI reports them.")
    recording_url = models.TextField("recording URL", blank=True)
    stereo_recording_url = models.TextField("stereo recording URL", blank=True)
    recording_url_expires_at = models.DateTimeField("recording URL expires at", null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    reported_at = models.DateTimeField("report received at", null=True)
    checks = models.PositiveIntegerField("requests for a report", default=0)
    check_at = models.DateTimeField("next request for a report", null=True)

    objects = TenantQuerySet["VapiLeg"].as_manager()

    class Meta:
        ordering = ("-created_at",)
        verbose_name = "VAPI call"
        verbose_name_plural = "VAPI calls"
        indexes = [
            models.Index(
                fields=("check_at",), name="vapi_leg_without_report", condition=models.Q(reported_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return self.vapi_id


class SyncedAssistant(TenantModel):
    """The assistant at VAPI of one of our agents, as we last wrote it and as VAPI then had it.

    What differs from `returned` at VAPI today was changed there by hand. Secrets stand in both as their hashes.
    """

    tenant_path = "agent__organization_id"

    agent = models.OneToOneField(Agent, models.CASCADE, related_name="vapi_assistant")
    assistant_id = models.CharField("assistant ID", max_length=64, blank=True)
    sent = models.JSONField(default=dict, help_text="Each field as we last wrote it.")
    returned = models.JSONField(default=dict, help_text="Each field as VAPI returned it then.")
    version = models.PositiveIntegerField("version of the agent", null=True)
    synced_at = models.DateTimeField("synchronized at", null=True)
    synced_by = models.CharField("synchronized by", max_length=150, blank=True)
    claimed_until = models.DateTimeField(null=True, help_text="Somebody is synchronizing it.")

    objects = TenantQuerySet["SyncedAssistant"].as_manager()

    class Meta:
        ordering = ("agent",)
        verbose_name = "VAPI assistant"
        verbose_name_plural = "VAPI assistants"
        constraints = [
            models.UniqueConstraint(
                fields=("assistant_id",), condition=~models.Q(assistant_id=""), name="vapi_assistants_have_one_agent"
            )
        ]

    def __str__(self) -> str:
        return f"Assistant of {self.agent}"
