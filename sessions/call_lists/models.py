"""Saved views of the list of calls, and the audit log of its exports."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.organizations.models import Organization
from agents.organizations.principal import Principal
from agents.organizations.tenancy import TenantModel, TenantQuerySet

LONGEST_QUERY = 1000
LONGEST_NAME = 60


class SavedViewQuerySet(TenantQuerySet["SavedView"]):
    def visible_to(self, principal: Principal) -> SavedViewQuerySet:
        """One's own, and what is shared with the organizations that the principal sees."""
        own = Q(user=principal.subject) if principal.subject.isdigit() else Q(pk__in=())
        if principal.sees_all:
            return self.filter(own | Q(organization__isnull=False))
        return self.filter(own | Q(organization__in=principal.organization_ids))


class SavedView(TenantModel):
    """A name for what stands after `?` in the address of the list. With an organization it is shared with it."""

    user = models.ForeignKey(User, models.CASCADE, related_name="call_views")
    organization = models.ForeignKey(Organization, models.CASCADE, null=True, related_name="call_views")
    name = models.CharField(max_length=LONGEST_NAME)
    query = models.CharField(max_length=LONGEST_QUERY, blank=True)
    is_default = models.BooleanField(
        default=False, help_text=_("The list opens with it: for its user, or for all of the organization.")
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        verbose_name = _("saved view")
        ordering = ("name", "id")
        constraints = [
            models.UniqueConstraint(
                fields=("user", "name"), condition=Q(organization__isnull=True), name="own_call_views_are_named"
            ),
            models.UniqueConstraint(
                fields=("organization", "name"),
                condition=Q(organization__isnull=False),
                name="shared_call_views_are_named",
            ),
            models.UniqueConstraint(
                fields=("user",),
                condition=Q(organization__isnull=True, is_default=True),
                name="one_own_default_call_view",
            ),
            models.UniqueConstraint(
                fields=("organization",),
                condition=Q(organization__isnull=False, is_default=True),
                name="one_shared_default_call_view",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_shared(self) -> bool:
        return self.organization_id is not None


class CallExport(TenantModel):
    """That somebody exported calls of an organization. It outlives them, and names no caller."""

    class Way(models.TextChoices):
        LIST = "list", _("List of calls")
        COMMAND = "command", "manage.py export_calls"
        API = "api", "API"

    class Format(models.TextChoices):
        CSV = "csv", "CSV"
        JSON = "json", "JSON"

    organization = models.ForeignKey(Organization, models.CASCADE, null=True, related_name="call_exports")
    principal = models.CharField(_("who"), max_length=150)
    way = models.CharField(max_length=7, choices=Way.choices)
    file_format = models.CharField(_("format"), max_length=4, choices=Format.choices)
    filters = models.CharField(max_length=LONGEST_QUERY, blank=True)
    has_numbers = models.BooleanField(_("with whole numbers"), default=False)
    started_at = models.DateTimeField(_("when"), auto_now_add=True)
    calls = models.PositiveIntegerField(null=True, help_text=_("How many were sent; empty until it ends."))

    objects = TenantQuerySet["CallExport"].as_manager()

    class Meta:
        verbose_name = _("export of calls")
        verbose_name_plural = _("exports of calls")
        ordering = ("-started_at", "-id")
        indexes = [models.Index(fields=("organization", "-started_at"), name="call_export_of_organization")]

    def __str__(self) -> str:
        return gettext("Export of calls by %(principal)s") % {"principal": self.principal}
