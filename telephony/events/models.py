"""What a provider sent us, once per event, and whether it is processed."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from agents.organizations.tenancy import TenantModel, TenantQuerySet
from sessions.calls.models import Call
from voiceapp.core.jobs.models import Job


class Verdict(models.TextChoices):
    """Of a webhook's signature."""

    VERIFIED = "verified", _("Verified")
    REFUSED = "refused", _("Refused")


class ProviderEvent(TenantModel, Job):
    """A callback of a provider. `dedup_key` makes a repeated one harmless; numbers in `fields` are masked.

    Of those that were refused a sample is kept (refusals.py): `kind` is the webhook's name, and `reason` says why.

    Twilio's are processed in the request and stored as done. LiveKit's wait for a worker; their partition is the room.
    VAPI's wait for one unless VAPI waits for the response; their partition is VAPI's id of the call.
    """

    tenant_path = "call__organization_id"
    topic_field = "source"
    done_label = _("Processed")

    source = models.CharField(max_length=20)
    dedup_key = models.CharField(_("deduplication key"), max_length=200)
    kind = models.CharField(max_length=60)
    verdict = models.CharField(_("signature"), max_length=8, choices=Verdict.choices, default=Verdict.VERIFIED)
    reason = models.CharField(_("refused because"), max_length=100, blank=True)
    call = models.ForeignKey(Call, models.CASCADE, null=True, related_name="provider_events")
    fields = models.JSONField(default=dict)
    state = models.CharField(max_length=12, choices=Job.State.choices, default=Job.State.DONE)
    created_at = models.DateTimeField(_("received at"), auto_now_add=True)

    objects = TenantQuerySet["ProviderEvent"].as_manager()

    class Meta:
        ordering = ("-created_at",)
        constraints = [models.UniqueConstraint(fields=("source", "dedup_key"), name="provider_events_are_kept_once")]
        indexes = [
            models.Index(fields=("state", "id"), name="provider_event_in_order"),
            models.Index(fields=("state", "partition_key", "id"), name="provider_event_of_partition"),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.kind}"
