"""What is booked: services that take time, with the rules for their appointments."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.organizations.auditing import Audited
from agents.organizations.models import Organization
from agents.organizations.tenancy import TenantModel, TenantQuerySet

from .menu import Named

# Every length of an appointment is a multiple of this, and an occupied resource is occupied for whole ones
# (docs/decisions/double-booking.md).
SLOT_MINUTES = 5
LONGEST_MINUTES = 12 * 60
LONGEST_BUFFER_MINUTES = 4 * 60
MOST_DAYS_AHEAD = 365


def validate_slots(minutes: int) -> None:
    """Accept whole slots."""
    if minutes % SLOT_MINUTES:
        raise ValidationError(gettext("Enter a multiple of %(slot_minutes)s minutes.") % {"slot_minutes": SLOT_MINUTES})


class Service(Named, TenantModel):
    """Something for which an appointment is made, like an oil change. It needs a person, a bay, or one of each."""

    class Grid(models.IntegerChoices):
        """How far apart appointments may begin, on the organization's clock."""

        FIVE = 5, _("Every 5 minutes")
        TEN = 10, _("Every 10 minutes")
        QUARTER = 15, _("Every quarter of an hour")
        TWENTY = 20, _("Every 20 minutes")
        HALF = 30, _("Every half hour")
        HOUR = 60, _("Every hour")

    audited = Audited()

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="services")
    description = models.CharField(max_length=300, blank=True)
    price = models.DecimalField(
        max_digits=8,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("Leave empty if it depends on the work."),
    )
    duration_minutes = models.PositiveSmallIntegerField(
        _("duration (min)"),
        validators=[MinValueValidator(SLOT_MINUTES), MaxValueValidator(LONGEST_MINUTES), validate_slots],
    )
    buffer_before_minutes = models.PositiveSmallIntegerField(
        _("buffer before (min)"),
        default=0,
        validators=[MaxValueValidator(LONGEST_BUFFER_MINUTES), validate_slots],
        help_text=_("Kept free of other appointments before it."),
    )
    buffer_after_minutes = models.PositiveSmallIntegerField(
        _("buffer after (min)"),
        default=0,
        validators=[MaxValueValidator(LONGEST_BUFFER_MINUTES), validate_slots],
        help_text=_("Kept free of other appointments after it."),
    )
    grid_minutes = models.PositiveSmallIntegerField(_("start times"), choices=Grid.choices, default=Grid.HALF)
    lead_time_minutes = models.PositiveIntegerField(
        _("lead time (min)"),
        default=60,
        validators=[MaxValueValidator(MOST_DAYS_AHEAD * 24 * 60)],
        help_text=_("Booked by the agent no later than this before it begins."),
    )
    days_ahead = models.PositiveSmallIntegerField(
        _("bookable days ahead"),
        default=60,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_DAYS_AHEAD)],
        help_text=_("Booked by the agent no earlier than this before it begins."),
    )
    needs_staff = models.BooleanField(_("needs a person"), default=True)
    needs_bay = models.BooleanField(_("needs a bay"), default=False)
    is_active = models.BooleanField(_("active"), default=True, help_text=_("Only active services are offered."))

    objects = TenantQuerySet["Service"].as_manager()

    class Meta(Named.Meta):
        constraints = [
            models.UniqueConstraint(fields=("organization", "name"), name="service_names_differ_in_an_organization"),
            models.CheckConstraint(
                condition=models.Q(needs_staff=True) | models.Q(needs_bay=True),
                name="service_needs_a_resource",
                violation_error_message="A service needs a person, a bay, or both.",
            ),
            models.CheckConstraint(condition=models.Q(price__gte=0), name="service_price_is_not_negative"),
        ]
