"""An organization's privacy settings."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from agents.configuration.services import keep_openings
from agents.organizations.roles import Area
from agents.tenant_admin.tenant import TenantAdmin
from agents.tenant_admin.theme import display

from .models import PrivacySettings
from .presets import note_on, suggested_announcement, suggested_stop_hint

EXAMPLE_KEY = "9"
# What callers hear of it before the greeting.
OPENING = frozenset({"announcement", "stop_key", "stop_hint"})


@admin.register(PrivacySettings)
class PrivacySettingsAdmin(TenantAdmin[PrivacySettings]):
    area = Area.ORGANIZATION
    begins_with_organization = True
    list_display = ("organization", "announcement", "recording_days", "is_on_hold")
    readonly_fields = ("suggestion", "suggested_hint")
    list_select_related = ("organization",)
    fieldsets = (
        (None, {"fields": ("organization", "announcement", "suggestion")}),
        (
            _("Callers who do not want to be recorded"),
            {"fields": ("stop_key", "stop_hint", "suggested_hint", "deletes_declined_words")},
        ),
        (_("Returning callers"), {"fields": ("remembers_callers",)}),
        (_("Age"), {"fields": ("recording_days",)}),
        (_("Legal hold"), {"fields": ("is_on_hold", "hold_reason")}),
    )

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """The organization is what people know a row by, even where there is one only."""
        return list(self.list_display)

    @display(description=_("common announcement"))
    def suggestion(self, row: PrivacySettings) -> str:
        country = row.organization.region if row.organization_id else ""
        return f"“{suggested_announcement(country)}” {note_on(country)}"

    @display(description=_("common sentence"))
    def suggested_hint(self, row: PrivacySettings) -> str:
        country = row.organization.region if row.organization_id else ""
        return f"“{suggested_stop_hint(country, row.stop_key or EXAMPLE_KEY)}”"

    def save_model(self, request: HttpRequest, obj: PrivacySettings, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if OPENING.intersection(form.changed_data):
            keep_openings(obj.organization)
