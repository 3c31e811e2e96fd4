"""Named times of day at which a part of the menu is sold, like breakfast."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from agents.organizations.auditing import Audited
from agents.organizations.models import Organization
from agents.organizations.tenancy import TenantModel, TenantQuerySet

from .speakable import validate_speakable


class Daypart(TenantModel):
    """A name for times of the week. What is given to no daypart is sold whenever the agent answers."""

    audited = Audited()

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="dayparts")
    name = models.CharField(max_length=80, validators=[validate_speakable])

    objects = TenantQuerySet["Daypart"].as_manager()

    class Meta:
        ordering = ("organization", "name")
        verbose_name = _("time of day")
        verbose_name_plural = _("times of day")
        constraints = [
            models.UniqueConstraint(fields=("organization", "name"), name="daypart_names_differ_in_an_organization")
        ]

    def __str__(self) -> str:
        return self.name


class DaypartSpan(TenantModel):
    """From one time to another on some days of the week; one that ends at or before it begins runs past midnight."""

    class Days(models.TextChoices):
        DAILY = "daily", _("Daily")
        WORKDAYS = "workdays", _("Monday to Friday")
        WEEKEND = "weekend", _("Saturday and Sunday")
        MONDAY = "0", _("Monday")
        TUESDAY = "1", _("Tuesday")
        WEDNESDAY = "2", _("Wednesday")
        THURSDAY = "3", _("Thursday")
        FRIDAY = "4", _("Friday")
        SATURDAY = "5", _("Saturday")
        SUNDAY = "6", _("Sunday")

        @property
        def weekdays(self) -> tuple[int, ...]:
            """0 is Monday."""
            whole = {"daily": range(7), "workdays": range(5), "weekend": range(5, 7)}
            return tuple(whole[self.value]) if self.value in whole else (int(self.value),)

    tenant_path = "daypart__organization_id"
    audited = Audited(page="daypart")

    daypart = models.ForeignKey(Daypart, models.CASCADE, related_name="spans")
    days = models.CharField(max_length=8, choices=Days.choices, default=Days.DAILY)
    begins_at = models.TimeField(_("from"))
    ends_at = models.TimeField(_("until"))

    objects = TenantQuerySet["DaypartSpan"].as_manager()

    class Meta:
        ordering = ("begins_at", "id")
        verbose_name = _("span")

    def __str__(self) -> str:
        return f"{self.get_days_display()} {self.begins_at:%H:%M}–{self.ends_at:%H:%M}"
