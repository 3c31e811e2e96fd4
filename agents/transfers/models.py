"""People whom an agent may transfer a caller to."""

from __future__ import annotations

from django.db import models
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from agents.organizations.auditing import Audited
from agents.organizations.models import Organization
from agents.organizations.tenancy import TenantModel, TenantQuerySet
from voiceapp.core.phones.field import PhoneNumberField
from voiceapp.core.phones.numbers import validate_dialable

from .numbers import check_target_number


class TransferMode(models.TextChoices):
    """How the person gets the call."""

    COLD = "cold", _("Connect at once")
    WARM = "warm", _("Announce the call first; the person accepts it with key 1")


class CallerId(models.TextChoices):
    """The number that the person's phone shows."""

    ORGANIZATION = "organization", _("The organization's number")
    CALLER = "caller", _("The caller's own number, where the carrier allows it")


class IfNobody(models.TextChoices):
    """What the caller gets if no person takes the call."""

    MESSAGE = "message", _("Can leave a message")
    AGENT = "agent", _("Goes back to the agent")


class TransferTarget(TenantModel):
    """A person or desk. The model names it by `slug` and never sees the number.

    People of one department are called one after the other, in the order of `position`.
    """

    audited = Audited()

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="transfer_targets")
    slug = models.SlugField(max_length=40, help_text=_("How the agent refers to it, like front-desk."))
    name = models.CharField(max_length=80)
    when_to_use = models.CharField(
        max_length=200, blank=True, help_text=_("Shown to the agent, like “complaints and large orders”.")
    )
    number = PhoneNumberField(max_length=16, validators=[validate_dialable])
    is_fallback = models.BooleanField(_("fallback"), default=False, help_text=_("Called when the agent fails."))
    department = models.CharField(
        max_length=40,
        blank=True,
        help_text=_("If this person does not take a call, the others of the department are called."),
    )
    position = models.PositiveIntegerField(_("order"), default=0, help_text=_("Lower numbers are called first."))
    takes_calls_on_special_days = models.BooleanField(
        default=False,
        help_text=_(
            "The hours below also hold on the organization's special days. When off, no call is placed on a "
            "closed day, and on a day with other hours only within both."
        ),
    )
    mode = models.CharField(_("transfer"), max_length=4, choices=TransferMode.choices, default=TransferMode.COLD)
    caller_id = models.CharField(_("caller ID"), max_length=12, choices=CallerId.choices, default=CallerId.ORGANIZATION)
    if_nobody = models.CharField(
        _("if nobody answers"), max_length=8, choices=IfNobody.choices, default=IfNobody.MESSAGE
    )

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

    def clean(self) -> None:
        if self.number and self.organization_id:
            check_target_number(self.number, self.organization)

    @property
    def department_slug(self) -> str:
        """How the agent refers to the department; empty without one."""
        return slugify(self.department)

    @property
    def phone_region(self) -> str:
        return self.organization.region if self.organization_id else ""
