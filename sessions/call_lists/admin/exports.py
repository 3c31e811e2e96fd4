"""The audit log of exports of calls."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.organizations.roles import Area
from agents.tenant_admin.tenant import ReadOnlyAdmin
from agents.tenant_admin.theme import display
from sessions.call_lists.models import CallExport


@admin.register(CallExport)
class CallExportAdmin(ReadOnlyAdmin[CallExport]):
    """Who exported calls, when, which, and whether with callers' numbers."""

    area = Area.CALLER_NUMBERS
    list_display = (
        "started_at",
        "principal",
        "way",
        "file_format",
        "shown_filters",
        "sent",
        "has_numbers",
        "organization",
    )
    list_filter = ("way", "file_format", "has_numbers", "started_at")
    list_select_related = ("organization",)
    search_fields = ("principal",)
    ordering = ("-started_at", "-id")
    fields = ("started_at", "principal", "way", "file_format", "shown_filters", "sent", "has_numbers")
    readonly_fields = ("started_at", "shown_filters", "sent")

    @display(description=_("filters"))
    def shown_filters(self, export: CallExport) -> str:
        return export.filters.replace("&", ", ") or gettext("All calls")

    @display(description=_("calls"), ordering="calls")
    def sent(self, export: CallExport) -> str:
        return gettext("Not finished") if export.calls is None else f"{export.calls:,}"
