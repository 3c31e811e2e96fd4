"""The log of exports: who took which rows of an organization away as a file."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.organizations.models import Organization
from agents.organizations.tenancy import TenantModel, TenantQuerySet

from .queries import LONGEST_QUERY


class Export(TenantModel):
    """That somebody exported calls or orders of an organization. It outlives them, and names no caller."""

    class Kind(models.TextChoices):
        CALLS = "calls", _("Calls")
        ORDERS = "orders", _("Orders")

    class Way(models.TextChoices):
        LIST = "list", _("List")
        COMMAND = "command", "manage.py"
        API = "api", "API"

    class Format(models.TextChoices):
        CSV = "csv", "CSV"
        JSON = "json", "JSON"

    organization = models.ForeignKey(Organization, models.CASCADE, null=True, related_name="exports")
    kind = models.CharField(_("kind"), max_length=6, choices=Kind.choices)
    principal = models.CharField(_("who"), max_length=150)
    way = models.CharField(max_length=7, choices=Way.choices)
    file_format = models.CharField(_("format"), max_length=4, choices=Format.choices)
    filters = models.CharField(max_length=LONGEST_QUERY, blank=True)
    has_numbers = models.BooleanField(_("with whole numbers"), default=False)
    started_at = models.DateTimeField(_("when"), auto_now_add=True)
    rows = models.PositiveIntegerField(null=True, help_text=_("How many were sent; empty until it ends."))

    objects = TenantQuerySet["Export"].as_manager()

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        ordering = ("-started_at", "-id")
        indexes = [models.Index(fields=("organization", "-started_at"), name="export_of_organization")]

    def __str__(self) -> str:
        return gettext("Export by %(principal)s") % {"principal": self.principal}
