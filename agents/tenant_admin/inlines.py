"""Rows on their owner's page, as open as that page; and what a relation may point at."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.db import models
from django.http import HttpRequest

from agents.hours.local_time import country_of_page, read_by_country
from agents.organizations.access import Access, access_of, organization_id_of
from agents.organizations.roles import Area, Power
from agents.organizations.tenancy import TenantModel, TenantQuerySet

from .forms import TenantForm, TenantFormSet
from .theme import StackedInline, TabularInline


def choices_for(
    db_field: models.Field[Any, Any], access: Access, area: Area, organization_id: UUID | None
) -> models.QuerySet[Any] | None:
    """What a relation may point at: rows the user may edit with, of the page's organization when it has one."""
    related = db_field.related_model
    if not isinstance(related, type) or not issubclass(related, TenantModel):
        return None
    rows = related._default_manager.all()
    if not isinstance(rows, TenantQuerySet):
        return None
    rows = rows.visible_to(access.principal(area, Power.EDIT))
    if organization_id is not None:
        rows = rows.filter(**{related.tenant_path: organization_id})
    return rows


def mind_live_counts(field: Any, db_field: models.Field[Any, Any]) -> Any:
    """Compare a posted count with what the page showed, not with what orders have left of it since."""
    if field is not None and db_field.name == "count_left":
        field.show_hidden_initial = True
    return field


class _InlinePermissions:
    """An inline is as open as its page: Django would check permission rows that our roles do not have."""

    area: ClassVar[Area]
    is_read_only: ClassVar[bool] = False
    extra = 0
    form: Any = TenantForm
    formset: Any = TenantFormSet

    def has_view_permission(self, request: HttpRequest, obj: TenantModel | None = None) -> bool:
        return self._may(request, Power.VIEW, obj)

    def has_add_permission(self, request: HttpRequest, obj: TenantModel | None = None) -> bool:
        return not self.is_read_only and self._may(request, Power.EDIT, obj)

    def has_change_permission(self, request: HttpRequest, obj: TenantModel | None = None) -> bool:
        return not self.is_read_only and self._may(request, Power.EDIT, obj)

    def has_delete_permission(self, request: HttpRequest, obj: TenantModel | None = None) -> bool:
        return not self.is_read_only and self._may(request, Power.EDIT, obj)

    def _may(self, request: HttpRequest, power: Power, obj: TenantModel | None) -> bool:
        return access_of(request).may(self.area, power, None if obj is None else organization_id_of(obj))

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        return read_by_country(mind_live_counts(field, db_field), country_of_page(request))

    def get_field_queryset(self, db: str | None, db_field: Any, request: HttpRequest) -> models.QuerySet[Any] | None:
        found = choices_for(db_field, access_of(request), self.area, self._organization_of_page(request))
        if found is not None:
            return found
        default: models.QuerySet[Any] | None = super().get_field_queryset(  # type: ignore[misc]
            db, db_field, request
        )
        return default

    def _organization_of_page(self, request: HttpRequest) -> UUID | None:
        """That of the page on which the rows stand."""
        owner = self.admin_site._registry.get(self.parent_model)  # type: ignore[attr-defined]
        find = getattr(owner, "organization_of_page", None)
        found: UUID | None = find(request) if find else None
        return found


class TenantInline(_InlinePermissions, TabularInline[Any, Any]):
    """Rows on their owner's page, as a table."""


class StackedTenantInline(_InlinePermissions, StackedInline[Any, Any]):
    """Rows on their owner's page, one below the other."""
