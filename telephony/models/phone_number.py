"""A number that rings into the product."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models

from agents.models import Agent, Organization
from agents.models.tenancy import TenantModel, TenantQuerySet
from voiceapp.lib.phone_field import PhoneNumberField
from voiceapp.lib.phone_numbers import show_number, validate_e164


class PhoneNumber(TenantModel):
    """One number of an organisation, and who answers it."""

    number = PhoneNumberField(max_length=16, unique=True, validators=[validate_e164])
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="phone_numbers")
    agent = models.ForeignKey(
        Agent,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="phone_numbers",
        help_text="Empty: the default agent.",
    )
    label = models.CharField(max_length=80, blank=True)
    is_active = models.BooleanField(default=True)

    objects = TenantQuerySet["PhoneNumber"].as_manager()

    class Meta:
        ordering = ("number",)

    def __str__(self) -> str:
        return show_number(self.number)

    @property
    def phone_region(self) -> str:
        return self.organization.region if self.organization_id else ""

    def clean(self) -> None:
        if self.agent is not None and self.agent.organization_id != self.organization_id:
            raise ValidationError(
                {"agent": "This agent belongs to another organisation. Choose one of this organisation."}
            )
