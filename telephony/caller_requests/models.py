"""What a caller asks of an organization about their own data: a copy of it, or its deletion."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.organizations.models import Organization
from agents.organizations.tenancy import TenantModel, TenantQuerySet
from voiceapp.core.phones.field import PhoneNumberField
from voiceapp.core.phones.numbers import validate_e164


class CallerRequest(TenantModel):
    """One request. When it is over, it is the proof of what was done, and keeps nothing of whom it was about."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        DELETING = "deleting", _("Being deleted")
        DELETED = "deleted", _("Deleted")
        CLOSED = "closed", _("Closed without deletion")

    id = models.UUIDField(
        _("reference"), primary_key=True, default=uuid.uuid4, editable=False, help_text=_("Give it to the caller.")
    )
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="caller_requests")
    number = PhoneNumberField(
        _("caller's number"),
        max_length=16,
        blank=True,
        validators=[validate_e164],
        help_text=_("In any notation. It is removed from here when the request is over."),
    )
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    deleted = models.JSONField(default=dict, help_text=_("How many records of each kind were deleted or emptied."))
    waits_for = models.CharField(_("waits for"), max_length=300, blank=True)
    requested_by = models.CharField(_("entered by"), max_length=150, blank=True)
    deletion_by = models.CharField(_("deletion started by"), max_length=150, blank=True)
    exported_at = models.DateTimeField(_("last exported"), null=True)
    created_at = models.DateTimeField(_("entered"), auto_now_add=True)
    ended_at = models.DateTimeField(_("completed"), null=True)

    objects = TenantQuerySet["CallerRequest"].as_manager()

    class Meta:
        ordering = ("-created_at",)
        verbose_name = _("caller request")

    def __str__(self) -> str:
        return gettext("Request %(self)s") % {"self": str(self.pk)[:8]}

    @property
    def phone_region(self) -> str:
        return self.organization.region if self.organization_id else ""
