"""Services that callers book."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.catalog.models import Service
from agents.catalog.offers import say_duration
from agents.organizations.roles import Area
from agents.tenant_admin.tenant import TenantAdmin
from agents.tenant_admin.theme import display

NEEDS = {(True, True): _("Person and bay"), (True, False): _("Person"), (False, True): _("Bay")}


@admin.register(Service)
class ServiceAdmin(TenantAdmin[Service]):
    area = Area.MENU
    list_display = ("name", "duration", "shown_price", "needs", "is_active", "organization")
    list_filter = ("is_active", "organization")
    list_select_related = ("organization",)
    search_fields = ("name", "spoken_name", "aliases")
    ordering = ("organization", "position", "id")
    fieldsets = (
        (None, {
            "fields": ("organization", "name", "description", "price", "duration_minutes", "is_active", "position"),
        }),
        (_("Spoken names"), {"fields": ("spoken_name", "aliases")}),
        (_("Resources"), {"fields": ("needs_staff", "needs_bay")}),
        (_("Appointments"), {
            "fields": ("grid_minutes", "lead_time_minutes", "days_ahead", "buffer_before_minutes",
                       "buffer_after_minutes"),
        }),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Service]:
        return super().get_queryset(request).select_related("organization")

    @display(description=_("duration"), ordering="duration_minutes")
    def duration(self, service: Service) -> str:
        return say_duration(service.duration_minutes)

    @display(description=_("price"), ordering="price")
    def shown_price(self, service: Service) -> str:
        if service.price is None:
            return gettext("No fixed price")
        return format_html(
            '<span class="va-nowrap">{} {}</span>', f"{service.price:.2f}", service.organization.currency
        )

    @display(description=_("needs"))
    def needs(self, service: Service) -> str:
        return str(NEEDS[service.needs_staff, service.needs_bay])
