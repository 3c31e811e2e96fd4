"""List filters that offer only what the user may see."""

from __future__ import annotations

from django.contrib.admin import FieldListFilter, ModelAdmin, RelatedFieldListFilter
from django.db.models import Field, Model
from django.http import HttpRequest
from django_stubs_ext import StrOrPromise

from agents.organizations.access import access_of
from agents.organizations.tenancy import TenantModel, TenantQuerySet


class VisibleRelatedFilter(RelatedFieldListFilter):
    """Django's filter would offer the rows of every organization."""

    def field_choices(
        self, field: Field[object, object], request: HttpRequest, model_admin: ModelAdmin[Model]
    ) -> list[tuple[str, StrOrPromise]]:
        related = field.related_model
        if not isinstance(related, type) or not issubclass(related, TenantModel):
            return []
        rows = related._default_manager.all()
        if not isinstance(rows, TenantQuerySet):
            return []
        area = getattr(model_admin, "area", None)
        if area is None:
            return []
        return [(str(row.pk), str(row)) for row in rows.visible_to(access_of(request).principal(area))]


def scoped(name: str, model: type[Model]) -> str | tuple[str, type[FieldListFilter]]:
    """A list filter by name; one over a relation becomes the filter above."""
    field = model._meta.get_field(name)
    return (name, VisibleRelatedFilter) if field.is_relation else name
