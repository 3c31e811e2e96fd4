"""People whom the agents may hand a caller to."""

from __future__ import annotations

from django.contrib import admin

from agents.models import TransferHours, TransferTarget
from agents.roles import Area

from .forms import TenantForm
from .inlines import TenantInline
from .tenant import TenantAdmin
from .theme import display


class TransferHoursInline(TenantInline):
    model = TransferHours
    area = Area.ORGANIZATION
    verbose_name_plural = "hours (none: while the organisation is open)"


class TransferTargetForm(TenantForm):
    only_one = "is_fallback"


@admin.register(TransferTarget)
class TransferTargetAdmin(TenantAdmin[TransferTarget]):
    area = Area.ORGANIZATION
    form = TransferTargetForm
    list_display = ("name", "slug", "number", "when_to_use", "fallback", "organization")
    list_filter = ("organization",)
    list_select_related = ("organization",)
    search_fields = ("name", "slug", "number")
    prepopulated_fields = {"slug": ("name",)}
    fields = ("organization", "name", "slug", "number", "when_to_use", "is_fallback")
    inlines = (TransferHoursInline,)

    @display(description="fallback", label={"fallback": "info"})
    def fallback(self, target: TransferTarget) -> str:
        return "fallback" if target.is_fallback else ""
