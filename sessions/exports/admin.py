"""The log of exports of calls and orders."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.organizations.roles import Area
from agents.tenant_admin.tenant import ReadOnlyAdmin
from agents.tenant_admin.theme import display

from .models import Export


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin[Export]):
    """Who exported what, when, which rows, and whether with customers' numbers."""

    area = Area.CALLER_NUMBERS
    list_display = (
        "started_at",
        "kind",
        "principal",
        "way",
        "file_format",
        "shown_filters",
        "sent",
        "has_numbers",
        "organization",
    )
    list_filter = ("kind", "way", "file_format", "has_numbers", "started_at")
    list_select_related = ("organization",)
    search_fields = ("principal",)
    ordering = ("-started_at", "-id")
    fields = ("started_at", "kind", "principal", "way", "file_format", "shown_filters", "sent", "has_numbers")
    readonly_fields = ("started_at", "shown_filters", "sent")

    @display(description=_("filters"))
    def shown_filters(self, export: Export) -> str:
        return export.filters.replace("&", ", ") or gettext("All")

    @display(description=_("rows"), ordering="rows")
    def sent(self, export: Export) -> str:
        return gettext("Not finished") if export.rows is None else f"{export.rows:,}"
