"""Which organization a page is about, so that its pickers offer only that organization's rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib.admin.widgets import AutocompleteMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext

from agents.organizations.access import access_of, organization_id_of
from agents.organizations.models import Organization
from agents.organizations.roles import Area, Power
from agents.organizations.tenancy import TenantModel

from .theme import ModelAdmin

T = TypeVar("T", bound=models.Model)
CHOOSE = "admin/choose_organization.html"


class PageOrganization(ModelAdmin[T]):
    """Users with several organizations first choose the organization of a new row."""

    area: ClassVar[Area]
    # The way from a row to its menu, where only rows of one menu go together.
    menu_path: ClassVar[str] = ""
    # True where what may be picked depends on the organization although no picker lists its rows.
    begins_with_organization: ClassVar[bool] = False

    def organization_of_page(self, request: HttpRequest) -> UUID | None:
        """The organization of the row that is shown, or in which one is made; None while it is not known."""
        known: dict[type, UUID | None] = request.__dict__.setdefault("_organizations_of_pages", {})
        if type(self) not in known:
            known[type(self)] = self._find_organization(request)
        return known[type(self)]

    def _find_organization(self, request: HttpRequest) -> UUID | None:
        match = request.resolver_match
        object_id = match.kwargs.get("object_id") if match else None
        if object_id:
            row = self.get_object(request, object_id)
            return organization_id_of(row) if isinstance(row, TenantModel) else None
        named = _named(self.model, request.POST) or _named(self.model, request.GET)
        offered = self._organizations(request)
        if named and offered.filter(pk=named).exists():
            return named
        two = list(offered.values_list("pk", flat=True)[:2])
        return two[0] if len(two) == 1 else None

    def _organizations(self, request: HttpRequest) -> models.QuerySet[Organization]:
        return Organization.objects.visible_to(access_of(request).principal(self.area, Power.EDIT)).order_by("name")

    # A new row

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method == "GET" and self.has_add_permission(request) and self._must_choose(request):
            return self._choose(request)
        return super().add_view(request, form_url, extra_context)

    def _must_choose(self, request: HttpRequest) -> bool:
        if self.organization_of_page(request) is not None or not self._organizations(request).exists():
            return False
        fields = self.get_form(request, None, change=False).base_fields.values()
        return self.begins_with_organization or any(map(_picks_tenant_rows, fields))

    def _choose(self, request: HttpRequest) -> HttpResponse:
        kept = {name: value for name, value in request.GET.items() if name != "organization"}
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Add %(verbose_name)s") % {"verbose_name": self.opts.verbose_name},
            "choices": [
                (organization.name, f"?{urlencode({'organization': str(organization.pk), **kept})}")
                for organization in self._organizations(request)
            ],
        }
        return TemplateResponse(request, CHOOSE, context)

    # What is completed as it is typed

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[T]:
        rows = super().get_queryset(request)
        match = request.resolver_match
        if match is None or match.url_name != "autocomplete" or not issubclass(self.model, TenantModel):
            return rows
        requested = {self.model.tenant_path: request.GET.get("organization"), self.menu_path: request.GET.get("menu")}
        try:
            return rows.filter(**{path: value for path, value in requested.items() if path and value})
        except (ValidationError, ValueError):
            return rows.none()

    def completion_of(self, request: HttpRequest) -> dict[str, str]:
        """What the pickers that complete as one types send along."""
        page = self.organization_of_page(request)
        return {"organization": str(page)} if page else {}

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        widget = getattr(field, "widget", None)
        completion = self.completion_of(request)
        if isinstance(widget, AutocompleteMixin) and completion:
            address = f"{widget.get_url()}?{urlencode(completion)}"
            widget.get_url = lambda: address  # type: ignore[method-assign]
        return field


def _picks_tenant_rows(field: forms.Field) -> bool:
    rows = field.queryset if isinstance(field, forms.ModelChoiceField) else None
    return rows is not None and issubclass(rows.model, TenantModel) and rows.model is not Organization


def _named(model: type[models.Model], given: Mapping[str, str]) -> UUID | None:
    """The organization that a request names: by itself, or by the first row that it relates to."""
    try:
        if given.get("organization"):
            return UUID(given["organization"])
        for field in model._meta.fields:
            related = field.related_model
            if isinstance(related, type) and issubclass(related, TenantModel) and given.get(field.name):
                row = related._default_manager.filter(pk=given[field.name]).first()
                return organization_id_of(row) if isinstance(row, TenantModel) else None
    except (ValueError, ValidationError):
        return None
    return None
