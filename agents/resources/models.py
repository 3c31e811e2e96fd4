"""Who and what does the services: staff and bays, with the hours in which they work."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.catalog.models import Service
from agents.hours.models import WeeklyHours
from agents.organizations.auditing import Audited
from agents.organizations.models import Organization
from agents.organizations.tenancy import TenantModel, TenantQuerySet


class ResourceKind(models.TextChoices):
    STAFF = "staff", _("Person")
    BAY = "bay", _("Bay")


class Resource(TenantModel):
    """A person or a bay. It does one appointment at a time. One without hours works while the organization is open."""

    audited = Audited()

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="resources")
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=8, choices=ResourceKind.choices, default=ResourceKind.STAFF)
    services = models.ManyToManyField(
        Service, blank=True, related_name="resources", help_text=_("Leave empty if it can do all of them.")
    )
    is_active = models.BooleanField(_("active"), default=True, help_text=_("Only active ones get new appointments."))
    position = models.PositiveIntegerField(default=0, help_text=_("The first one that is free gets the appointment."))

    objects = TenantQuerySet["Resource"].as_manager()

    class Meta:
        ordering = ("position", "id")
        constraints = [
            models.UniqueConstraint(fields=("organization", "name"), name="resource_names_differ_in_an_organization")
        ]

    def __str__(self) -> str:
        return self.name

    def can_do(self, service: Service) -> bool:
        """Whether it does that service; its services should be prefetched."""
        services = self.services.all()
        return not services or service in services


class ResourceHours(WeeklyHours, TenantModel):
    """When a resource works. Only while the organization is open, too: special days close everything."""

    tenant_path = "resource__organization_id"
    audited = Audited(page="resource")

    resource = models.ForeignKey(Resource, models.CASCADE, related_name="hours")

    objects = TenantQuerySet["ResourceHours"].as_manager()

    class Meta(WeeklyHours.Meta):
        verbose_name = _("working hours")
        verbose_name_plural = _("working hours")


class Absence(TenantModel):
    """A time at which a resource is not there: a vacation, a repair."""

    tenant_path = "resource__organization_id"
    audited = Audited()

    resource = models.ForeignKey(Resource, models.CASCADE, related_name="absences")
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    note = models.CharField(max_length=120, blank=True)

    objects = TenantQuerySet["Absence"].as_manager()

    class Meta:
        ordering = ("starts_at",)
        indexes = [models.Index(fields=("resource", "ends_at"), name="absence_of_resource")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")),
                name="absence_ends_after_it_starts",
                violation_error_message="An absence ends after it starts.",
            )
        ]

    def __str__(self) -> str:
        return gettext("%(resource)s is absent") % {"resource": self.resource}
