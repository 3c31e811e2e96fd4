"""Categories with their items."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.catalog.models import Category, Item
from agents.catalog.services import settle_price
from agents.organizations.roles import Area
from agents.tenant_admin.forms import TenantForm
from agents.tenant_admin.inlines import TenantInline
from agents.tenant_admin.tenant import TenantAdmin
from agents.tenant_admin.theme import display

from .item import show_message


class ItemRowForm(TenantForm):
    """An item in the table of its category: without sizes it needs a price."""

    def clean_price(self) -> Any:
        price = self.cleaned_data["price"]
        if price is None and not (self.instance.pk and self.instance.sizes.exists()):
            raise forms.ValidationError(
                gettext("Enter a price. Sizes with their own prices can be added on the item's page.")
            )
        return price


class ItemInline(TenantInline):
    model = Item
    area = Area.MENU
    form = ItemRowForm
    fields = ("name", "price", "aliases", "position", "open_item")
    readonly_fields = ("open_item",)
    ordering_field = "position"
    hide_ordering_field = True
    hide_title = True

    @display(description=_("details"))
    def open_item(self, item: Item) -> str:
        if item._state.adding:
            return gettext("Save first.")
        url = reverse("admin:agents_item_change", args=(item.pk,))
        return format_html('<a class="va-link va-nowrap" href="{}">Open</a>', url)


@admin.register(Category)
class CategoryAdmin(TenantAdmin[Category]):
    area = Area.MENU
    list_display = ("name", "menu", "items")
    list_filter = ("menu",)
    search_fields = ("name",)
    fields = ("menu", "name", "daypart")
    inlines = (ItemInline,)
    ordering = ("menu", "position", "id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Category]:
        return super().get_queryset(request).select_related("menu").annotate(item_count=Count("items"))

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        for row in formset.forms:
            if row.instance.pk and "price" in row.changed_data:
                show_message(request, settle_price(row.instance, was_typed=True))

    @display(description=_("items"))
    def items(self, category: Category) -> int:
        return int(getattr(category, "item_count", 0))
