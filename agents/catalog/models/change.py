"""What was changed on many rows of a menu at once: an import, or prices."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from agents.organizations.tenancy import TenantModel, TenantQuerySet

from .menu import Menu


class MenuChange(TenantModel):
    """`entries`: [{"kind", "id", "name", "column", "old", "new"}, …] as texts. Prices can be put back by them."""

    tenant_path = "menu__organization_id"

    menu = models.ForeignKey(Menu, models.CASCADE, related_name="changes")
    title = models.CharField(max_length=200)
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField(auto_now_add=True)
    entries = models.JSONField(default=list)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.CharField(max_length=150, blank=True)

    objects = TenantQuerySet["MenuChange"].as_manager()

    class Meta:
        ordering = ("-made_at", "-id")
        verbose_name = _("change of a menu")
        verbose_name_plural = _("changes of menus")

    def __str__(self) -> str:
        return self.title

    @property
    def can_be_undone(self) -> bool:
        return self.undone_at is None and any(entry["column"] == "price" for entry in self.entries)
