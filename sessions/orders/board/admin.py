"""The settings of the order board: preparation time, and who is alarmed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from agents.organizations.roles import Area
from agents.tenant_admin.tenant import TenantAdmin

from .announcing import announce_orders
from .models import BoardSettings


@admin.register(BoardSettings)
class BoardSettingsAdmin(TenantAdmin[BoardSettings]):
    """The preparation time and the busy mode are set on the board, too."""

    area = Area.ORGANIZATION
    list_display = ("organization", "prep_minutes", "busy_until", "alarm_after_s", "alarm_target")
    list_select_related = ("organization", "alarm_target")
    fieldsets = (
        (None, {"fields": ("organization",)}),
        (_("Preparation time"), {"fields": ("prep_minutes", "busy_minutes", "busy_until")}),
        (_("Alarm"), {"fields": ("alarm_after_s", "alarm_by", "alarm_target")}),
    )

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """The organization is what people know a row by, even where there is one only."""
        return list(self.list_display)

    def save_model(self, request: HttpRequest, obj: BoardSettings, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        announce_orders(obj.organization_id)
