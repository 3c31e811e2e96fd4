"""People whom an agent may hand a caller to."""

from __future__ import annotations

from django.db import models

from agents.organizations.models import Organization
from agents.organizations.tenancy import TenantModel, TenantQuerySet
from voiceapp.core.phones.field import PhoneNumberField
from voiceapp.core.phones.numbers import validate_dialable


class TransferTarget(TenantModel):
    """A person or desk. The model names it by `slug` and never sees the number."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="transfer_targets")
    slug = models.SlugField(max_length=40, help_text="How the agent refers to it, like front-desk.")
    name = models.CharField(max_length=80)
    when_to_use = models.CharField(
        max_length=200, blank=True, help_text="Shown to the agent, like “complaints and large orders”."
    )
    number = PhoneNumberField(max_length=16, validators=[validate_dialable])
    is_fallback = models.BooleanField("fallback", default=False, help_text="Called when the agent fails.")
    position = models.PositiveIntegerField(default=0)

    objects = TenantQuerySet["TransferTarget"].as_manager()

    class Meta:
        ordering = ("position", "id")
        constraints = [
            models.UniqueConstraint(fields=("organization", "slug"), name="transfer_slugs_differ_in_an_organization"),
            models.UniqueConstraint(
                fields=("organization",),
                condition=models.Q(is_fallback=True),
                name="one_fallback_target_per_organization",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def phone_region(self) -> str:
        return self.organization.region if self.organization_id else ""
