"""The page of delivery: on or off, and the zones."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from agents.organizations.roles import Area
from agents.tenant_admin.inlines import TenantInline
from agents.tenant_admin.tenant import TenantAdmin
from agents.tenant_admin.theme import display

from .models import DeliverySettings, DeliveryZone


class DeliveryZoneInline(TenantInline):
    model = DeliveryZone
    area = Area.ORGANIZATION
    fields = ("name", "postcodes", "radius_km", "fee", "minimum", "free_from", "minutes", "position")
    ordering_field = "position"
    hide_ordering_field = True
    hide_title = True


@admin.register(DeliverySettings)
class DeliverySettingsAdmin(TenantAdmin[DeliverySettings]):
    area = Area.ORGANIZATION
    list_display = ("organization", "is_on", "zones")
    list_select_related = ("organization",)
    fields = ("organization", "is_on", "postcode")
    inlines = (DeliveryZoneInline,)

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """The organization is what people know a row by, even where there is one only."""
        return list(self.list_display)

    def get_queryset(self, request: HttpRequest) -> QuerySet[DeliverySettings]:
        return super().get_queryset(request).annotate(zone_count=Count("zones"))

    @display(description="zones")
    def zones(self, settings: DeliverySettings) -> int:
        return int(getattr(settings, "zone_count", 0))
