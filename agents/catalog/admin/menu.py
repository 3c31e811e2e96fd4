"""Menus with their categories."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from agents.catalog.models import Category, Menu
from agents.organizations.roles import Area, Power
from agents.tenant_admin.inlines import TenantInline
from agents.tenant_admin.theme import display

from .menu_findings import agent_text, findings_of
from .menu_pos_ids import MenuPosIds
from .menu_preview import preview_of


class CategoryInline(TenantInline):
    model = Category
    area = Area.MENU
    fields = ("name", "position", "open_items")
    readonly_fields = ("open_items",)
    ordering_field = "position"
    hide_ordering_field = True
    hide_title = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Category]:
        rows: QuerySet[Category] = super().get_queryset(request)
        return rows.annotate(item_count=Count("items"))

    @display(description=_("items"))
    def open_items(self, category: Category) -> str:
        if category._state.adding:
            return gettext("Save first.")
        url = reverse("admin:agents_category_change", args=(category.pk,))
        number = getattr(category, "item_count", 0)
        text = ngettext("%(number)s item", "%(number)s items", number) % {"number": number}
        return format_html('<a class="va-link va-nowrap" href="{}">{}</a>', url, text)


@admin.register(Menu)
class MenuAdmin(MenuPosIds):
    area = Area.MENU
    list_display = ("name", "organization", "is_active", "categories", "items")
    list_filter = ("is_active", "organization")
    search_fields = ("name",)
    fields = ("organization", "name", "is_active", "daypart")
    inlines = (CategoryInline,)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        menu = self.get_object(request, object_id)
        context = page_context(menu, may_edit=self.has_power(request, Power.EDIT, menu)) if menu else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Menu]:
        counts = {
            "category_count": Count("categories", distinct=True),
            "item_count": Count("categories__items", distinct=True),
        }
        return super().get_queryset(request).select_related("organization").annotate(**counts)

    @display(description=_("categories"))
    def categories(self, menu: Menu) -> str:
        url = f"{reverse('admin:agents_category_changelist')}?menu__id__exact={menu.pk}"
        number = getattr(menu, "category_count", 0)
        text = ngettext("%(number)s category", "%(number)s categories", number) % {"number": number}
        return format_html('<a class="va-link" href="{}">{}</a>', url, text)

    @display(description=_("items"))
    def items(self, menu: Menu) -> str:
        number = getattr(menu, "item_count", 0)
        return ngettext("%(number)s item", "%(number)s items", number) % {"number": number}


def page_context(menu: Menu, *, may_edit: bool) -> dict[str, Any]:
    """What the page shows besides the form: findings, what callers hear, what the agent reads, changes of many rows."""
    return {
        "findings": findings_of(menu),
        "preview": preview_of(menu),
        "agent_text": agent_text(menu),
        "changes": menu.changes.all()[:5],
        "may_edit": may_edit,
    }
