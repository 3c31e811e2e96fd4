"""Where an organization delivers, for how much, and from which total; and where postcodes are."""

from __future__ import annotations

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.organizations.auditing import Audited
from agents.organizations.models import Organization
from agents.organizations.tenancy import TenantModel, TenantQuerySet

from .postcodes import LONGEST_POSTCODE, patterns_of, plain

LONGEST_DRIVE_MINUTES = 240


class DeliverySettings(TenantModel):
    """Without a row, or switched off, orders are for pickup alone."""

    audited = Audited()

    organization = models.OneToOneField(Organization, models.CASCADE, related_name="delivery")
    is_on = models.BooleanField(
        _("deliver"),
        default=True,
        help_text=_("Agents with the tool “Choose pickup or delivery” ask for the address and name the fee."),
    )
    postcode = models.CharField(
        _("our postcode"),
        max_length=LONGEST_POSTCODE,
        blank=True,
        help_text=_("From there the radius of a zone is measured. Only zones with a radius need it."),
    )

    objects = TenantQuerySet["DeliverySettings"].as_manager()

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("delivery")

    def __str__(self) -> str:
        return gettext("Delivery of %(organization)s") % {"organization": self.organization}


class DeliveryZone(TenantModel):
    """A part of the area. The first zone that holds a postcode counts."""

    tenant_path = "settings__organization_id"
    audited = Audited(page="settings")

    settings = models.ForeignKey(DeliverySettings, models.CASCADE, related_name="zones")
    name = models.CharField(max_length=80)
    postcodes = models.CharField(
        max_length=2000,
        blank=True,
        help_text=_("Separated by commas or spaces: “10115, 10117”. 101* is all that begin so."),
    )
    radius_km = models.DecimalField(
        _("radius (km)"),
        max_digits=5,
        decimal_places=1,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("0.1"))],
        help_text=_("Besides the postcodes: all that are at most so far away, as the crow flies."),
    )
    fee = models.DecimalField(max_digits=8, decimal_places=2, default=0, validators=[MinValueValidator(0)])
    minimum = models.DecimalField(
        _("minimum order"),
        max_digits=8,
        decimal_places=2,
        default=0,
        validators=[MinValueValidator(0)],
        help_text=_("Of the items, without the fee."),
    )
    free_from = models.DecimalField(
        _("free from"),
        max_digits=8,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("From items of this price on there is no fee. Empty: there always is."),
    )
    minutes = models.PositiveIntegerField(
        _("drive (minutes)"),
        default=20,
        validators=[MaxValueValidator(LONGEST_DRIVE_MINUTES)],
        help_text=_("Added to the preparation time."),
    )
    position = models.PositiveIntegerField(default=0)

    objects = TenantQuerySet["DeliveryZone"].as_manager()

    class Meta:
        ordering = ("position", "id")
        verbose_name = _("delivery zone")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if not self.postcodes.strip() and self.radius_km is None:
            raise ValidationError({"postcodes": _("Enter postcodes, or a radius.")})
        wrong = next((each for each in patterns_of(self.postcodes) if not plain(each.removesuffix("*"))), None)
        if wrong is not None:
            raise ValidationError({"postcodes": _("“%(text)s” is no postcode.") % {"text": wrong}})


class PostcodePlace(models.Model):
    """A place of a postcode and the middle of it, from a file of GeoNames (`manage.py load_postcodes`)."""

    country = models.CharField(max_length=2)
    postcode = models.CharField(max_length=LONGEST_POSTCODE, help_text=_("Without spaces, in capitals."))
    place = models.CharField(max_length=180)
    latitude = models.FloatField()
    longitude = models.FloatField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=("country", "postcode", "place"), name="one_row_per_place")]

    def __str__(self) -> str:
        return f"{self.postcode} {self.place}"
