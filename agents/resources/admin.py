"""Staff and bays, with their working hours and absences."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.organizations.roles import Area
from agents.tenant_admin.inlines import TenantInline
from agents.tenant_admin.tenant import TenantAdmin
from agents.tenant_admin.theme import CheckboxSelectMultiple, display

from .models import Absence, Resource, ResourceHours


class ResourceHoursInline(TenantInline):
    model = ResourceHours
    area = Area.MENU
    verbose_name_plural = _("working hours (empty: while the organization is open)")


class AbsenceInline(TenantInline):
    model = Absence
    area = Area.MENU
    fields = ("starts_at", "ends_at", "note")


@admin.register(Resource)
class ResourceAdmin(TenantAdmin[Resource]):
    """A resource with appointments is made inactive instead of deleted: they show who does them."""

    area = Area.MENU
    list_display = ("name", "kind", "does", "is_active", "organization")
    list_filter = ("kind", "is_active", "organization")
    list_select_related = ("organization",)
    search_fields = ("name",)
    ordering = ("organization", "position", "id")
    fields = ("organization", "name", "kind", "services", "is_active", "position")
    inlines = (ResourceHoursInline, AbsenceInline)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Resource]:
        return super().get_queryset(request).prefetch_related("services")

    def has_delete_permission(self, request: HttpRequest, obj: Resource | None = None) -> bool:
        is_booked = isinstance(obj, Resource) and obj.booked.exists()
        return super().has_delete_permission(request, obj) and not is_booked

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "services":
            kwargs["widget"] = CheckboxSelectMultiple()
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    @display(description=_("services"))
    def does(self, resource: Resource) -> str:
        return ", ".join(str(service) for service in resource.services.all()) or gettext("All")


@admin.register(Absence)
class AbsenceAdmin(TenantAdmin[Absence]):
    """All absences together: who is away when."""

    area = Area.MENU
    list_display = ("resource", "starts_at", "ends_at", "note")
    list_filter = ("resource", "starts_at")
    list_select_related = ("resource",)
    date_hierarchy = "starts_at"
    search_fields = ("resource__name", "note")
    ordering = ("-starts_at",)
    fields = ("resource", "starts_at", "ends_at", "note")
