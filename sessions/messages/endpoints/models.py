"""Where an organization receives events as webhooks, and the log of every attempt to deliver one."""

from __future__ import annotations

import datetime as dt
import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from agents.organizations.auditing import Audited
from agents.organizations.models import Organization
from agents.organizations.tenancy import TenantModel, TenantQuerySet
from sessions.messages.models import OutboxMessage
from voiceapp.core.jobs.models import MAX_KEPT_ERROR
from voiceapp.core.kept_text_field import KeptTextField
from voiceapp.core.secret_box import seal, unseal
from voiceapp.core.web_addresses import MAX_URL_LENGTH

LONGEST_REASON = 300
# After a rotation each webhook is signed with both secrets for this time.
ROTATION_OVERLAP = dt.timedelta(hours=24)


class WebhookEndpoint(TenantModel):
    """A URL that receives the events it names. While it is paused they are kept, and can be sent later."""

    audited = Audited(ignored=frozenset({"failing_since", "last_success_at"}))

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="webhook_endpoints")
    name = models.CharField(max_length=80, help_text=_("For people, such as “Kitchen display”."))
    url = models.CharField("URL", max_length=MAX_URL_LENGTH, help_text=_("Starts with https://. It is not redirected."))
    events = models.JSONField(default=list)
    sealed_secret = models.TextField(editable=False)
    sealed_earlier_secret = models.TextField(blank=True, editable=False)
    earlier_secret_until = models.DateTimeField(_("earlier secret is used until"), null=True, editable=False)
    paused_at = models.DateTimeField(null=True, editable=False)
    # Empty if a person paused it.
    pause_reason = KeptTextField(max_length=MAX_KEPT_ERROR, blank=True, editable=False)
    failing_since = models.DateTimeField(null=True, editable=False)
    last_success_at = models.DateTimeField(_("last success"), null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = TenantQuerySet["WebhookEndpoint"].as_manager()

    class Meta:
        ordering = ("name", "created_at")
        verbose_name = _("webhook endpoint")

    def __str__(self) -> str:
        return self.name

    @property
    def place(self) -> str:
        """What the secrets are sealed for: moved to another endpoint they cannot be read."""
        return f"webhook secret|{self.pk}"

    @property
    def secret(self) -> str:
        """Raises SealBroken."""
        return unseal(self.sealed_secret, place=self.place)

    @secret.setter
    def secret(self, secret: str) -> None:
        self.sealed_secret = seal(secret, place=self.place)

    def secrets_at(self, now: dt.datetime) -> list[str]:
        """Those that sign at that time: the current one first. Raises SealBroken."""
        is_overlapping = self.earlier_secret_until is not None and self.earlier_secret_until > now
        earlier = [unseal(self.sealed_earlier_secret, place=self.place)] if is_overlapping else []
        return [self.secret, *earlier]

    @property
    def is_paused(self) -> bool:
        return self.paused_at is not None


class WebhookAttempt(TenantModel):
    """One request to an endpoint and its response. The body that was sent is the message's."""

    tenant_path = "message__organization_id"

    message = models.ForeignKey(OutboxMessage, models.CASCADE, related_name="log")
    at = models.DateTimeField(default=timezone.now, db_index=True)
    status = models.PositiveSmallIntegerField(null=True, help_text=_("Empty: no response."))
    error = KeptTextField(max_length=MAX_KEPT_ERROR, blank=True)
    duration_ms = models.PositiveIntegerField(_("duration (ms)"))
    request_headers = models.JSONField(default=dict)
    response_headers = models.JSONField(default=dict)
    response_body = models.TextField(blank=True)

    objects = TenantQuerySet["WebhookAttempt"].as_manager()

    class Meta:
        ordering = ("id",)
        verbose_name = _("webhook attempt")

    def __str__(self) -> str:
        return f"{self.message} {self.status or self.error}"
