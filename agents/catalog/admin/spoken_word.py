"""Words that an organization adds for understanding spoken names (docs/explanation/spoken-names.md)."""

from __future__ import annotations

from django.contrib import admin

from agents.catalog.models import SpokenWord
from agents.organizations.roles import Area
from agents.tenant_admin.tenant import TenantAdmin


@admin.register(SpokenWord)
class SpokenWordAdmin(TenantAdmin[SpokenWord]):
    area = Area.MENU
    list_display = ("text", "kind", "organization")
    list_filter = ("kind", "organization")
    list_select_related = ("organization",)
    search_fields = ("text",)
    fields = ("organization", "text", "kind")
