"""What we know of VAPI's calls and assistants."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.configuration.models import Agent
from agents.organizations.tenancy import TenantModel, TenantQuerySet
from sessions.calls.models import Call


class VapiLeg(TenantModel):
    """A call at VAPI that plays the agent of one of our calls. One of ours may have several: a link may be lost.

    Addresses of recordings are kept as text and never fetched: they expire, and one alone lets one listen.
    """

    tenant_path = "call__organization_id"

    vapi_id = models.CharField(_("VAPI call ID"), max_length=64, unique=True)
    call = models.ForeignKey(Call, models.CASCADE, related_name="vapi_legs")
    carries_phone = models.BooleanField(
        _("phone call at VAPI"),
        default=False,
        help_text=_("The caller dialed a number of VAPI's: no audio passes through us."),
    )
    assistant_id = models.CharField(_("assistant ID"), max_length=64, blank=True)
    status = models.CharField(max_length=24, blank=True, help_text=_("VAPI's code, like in-progress."))
    ended_reason = models.CharField(max_length=120, blank=True, help_text=_("VAPI's code, like customer-ended-call."))
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    cost_usd = models.DecimalField(_("cost (USD)"), max_digits=10, decimal_places=6, null=True)
    costs = models.JSONField(default=list, help_text=_("Its parts, as VAPI reports them."))
    recording_url = models.TextField(_("recording URL"), blank=True)
    stereo_recording_url = models.TextField(_("stereo recording URL"), blank=True)
    recording_url_expires_at = models.DateTimeField(_("recording URL expires at"), null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    reported_at = models.DateTimeField(_("report received at"), null=True)
    checks = models.PositiveIntegerField(_("requests for a report"), default=0)
    check_at = models.DateTimeField(_("next request for a report"), null=True)

    objects = TenantQuerySet["VapiLeg"].as_manager()

    class Meta:
        ordering = ("-created_at",)
        verbose_name = _("VAPI call")
        verbose_name_plural = _("VAPI calls")
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
    assistant_id = models.CharField(_("assistant ID"), max_length=64, blank=True)
    sent = models.JSONField(default=dict, help_text=_("Each field as we last wrote it."))
    returned = models.JSONField(default=dict, help_text=_("Each field as VAPI returned it then."))
    version = models.PositiveIntegerField(_("version of the agent"), null=True)
    synced_at = models.DateTimeField(_("synchronized at"), null=True)
    synced_by = models.CharField(_("synchronized by"), max_length=150, blank=True)
    claimed_until = models.DateTimeField(null=True, help_text=_("Somebody is synchronizing it."))

    objects = TenantQuerySet["SyncedAssistant"].as_manager()

    class Meta:
        ordering = ("agent",)
        verbose_name = _("VAPI assistant")
        verbose_name_plural = _("VAPI assistants")
        constraints = [
            models.UniqueConstraint(
                fields=("assistant_id",), condition=~models.Q(assistant_id=""), name="vapi_assistants_have_one_agent"
            )
        ]

    def __str__(self) -> str:
        return gettext("Assistant of %(agent)s") % {"agent": self.agent}
