"""Callers who do not want to be remembered."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest

from agents.organizations.access import access_of
from agents.organizations.roles import Area
from agents.tenant_admin.number_search import NumberSearch
from agents.tenant_admin.tenant import TenantAdmin
from agents.tenant_admin.theme import display
from voiceapp.core.phones.numbers import mask, show_number

from .models import CallerNotRemembered


@admin.register(CallerNotRemembered)
class CallerNotRememberedAdmin(NumberSearch[CallerNotRemembered], TenantAdmin[CallerNotRemembered]):
    """Callers say it to the agent; a person may enter a number, and delete one whose caller has asked for that."""

    area = Area.ORGANIZATION
    list_display = ("shown", "since", "organization")
    list_display_links = ("shown",)
    list_filter = ("organization",)
    list_select_related = ("organization",)
    search_fields = ("=number",)
    readonly_fields = ("shown", "since")

    def sees_numbers(self, request: HttpRequest) -> bool:
        access = access_of(request)
        return access.sees_all or all(map(access.sees_numbers_of, access.organizations(self.area)))

    def get_fields(self, request: HttpRequest, obj: CallerNotRemembered | None = None) -> tuple[str, ...]:
        return ("organization", "number") if obj is None else ("organization", "shown", "since")

    def get_queryset(self, request: HttpRequest) -> QuerySet[CallerNotRemembered]:
        seen = access_of(request).principal(Area.CALLER_NUMBERS)
        rows = super().get_queryset(request).select_related("organization")
        whole = CallerNotRemembered.objects.visible_to(seen).filter(pk=OuterRef("pk"))
        return rows.annotate(is_number_seen=Exists(whole))

    def has_change_permission(self, request: HttpRequest, obj: CallerNotRemembered | None = None) -> bool:
        return False

    @display(description="number", ordering="number")
    def shown(self, row: CallerNotRemembered) -> str:
        return show_number(row.number) if getattr(row, "is_number_seen", False) else mask(row.number)
