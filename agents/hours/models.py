"""When somebody is there: weekly hours, and days that differ."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from agents.organizations.auditing import Audited
from agents.organizations.models import Organization
from agents.organizations.tenancy import TenantModel, TenantQuerySet
from agents.transfers.models import TransferTarget


class WeeklyHours(models.Model):
    """One span of a week in the organization's time zone; one that closes at or before it opens runs past midnight."""

    class Weekday(models.IntegerChoices):
        MONDAY = 0
        TUESDAY = 1
        WEDNESDAY = 2
        THURSDAY = 3
        FRIDAY = 4
        SATURDAY = 5
        SUNDAY = 6

    weekday = models.PositiveSmallIntegerField(choices=Weekday.choices)
    opens_at = models.TimeField()
    closes_at = models.TimeField()

    class Meta:
        abstract = True
        ordering = ("weekday", "opens_at")

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.opens_at:%H:%M}–{self.closes_at:%H:%M}"


class OpeningHours(WeeklyHours, TenantModel):
    """When calls are answered. An organization without any is always open."""

    audited = Audited(page="organization")

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="opening_hours")

    objects = TenantQuerySet["OpeningHours"].as_manager()

    class Meta(WeeklyHours.Meta):
        verbose_name_plural = _("opening hours")


class SpecialDay(TenantModel):
    """A date on which other hours hold: closed when it has none."""

    audited = Audited(page="organization")

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="special_days")
    date = models.DateField()
    opens_at = models.TimeField(null=True, blank=True)
    closes_at = models.TimeField(null=True, blank=True)
    note = models.CharField(max_length=120, blank=True)

    objects = TenantQuerySet["SpecialDay"].as_manager()

    class Meta:
        ordering = ("date",)
        constraints = [
            models.UniqueConstraint(fields=("organization", "date"), name="one_special_day_per_date"),
            models.CheckConstraint(
                condition=models.Q(opens_at__isnull=True, closes_at__isnull=True)
                | models.Q(opens_at__isnull=False, closes_at__isnull=False),
                name="special_day_has_both_times_or_none",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.date:%Y-%m-%d}"


class TransferHours(WeeklyHours, TenantModel):
    """When a transfer target may be rung. A target without any may always be rung while the organization is open."""

    tenant_path = "target__organization_id"
    audited = Audited(page="target")

    target = models.ForeignKey(TransferTarget, models.CASCADE, related_name="hours")

    objects = TenantQuerySet["TransferHours"].as_manager()

    class Meta(WeeklyHours.Meta):
        verbose_name_plural = _("transfer hours")
