"""An organization's privacy settings."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from agents.organizations.roles import Area
from agents.tenant_admin.tenant import TenantAdmin

from .models import PrivacySettings


@admin.register(PrivacySettings)
class PrivacySettingsAdmin(TenantAdmin[PrivacySettings]):
    area = Area.ORGANIZATION
    begins_with_organization = True
    list_display = ("organization", "recording_days", "is_on_hold")
    list_select_related = ("organization",)
    fieldsets = (
        (None, {"fields": ("organization", "recording_days")}),
        ("Legal hold", {"fields": ("is_on_hold", "hold_reason")}),
    )

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """The organization is what people know a row by, even where there is one only."""
        return list(self.list_display)
