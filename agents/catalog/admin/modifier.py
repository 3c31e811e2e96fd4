"""Modifier groups with their modifiers."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.catalog.models import Menu, Modifier, ModifierGroup
from agents.organizations.roles import Area
from agents.tenant_admin.forms import TenantForm, TenantFormSet
from agents.tenant_admin.inlines import TenantInline
from agents.tenant_admin.tenant import TenantAdmin
from agents.tenant_admin.theme import display

from .allergens import AllergensForm
from .stock import StockAdmin, StockFilter


class ModifierFormSet(TenantFormSet):
    def clean(self) -> None:
        super().clean()
        defaults = sum(
            bool(form.cleaned_data.get("is_default")) for form in self.kept() if hasattr(form, "cleaned_data")
        )
        if defaults > self.instance.maximum:
            raise forms.ValidationError(
                gettext("%(defaults)s are marked as default, but at most %(maximum)s can be chosen.")
                % {"defaults": defaults, "maximum": self.instance.maximum}
            )


class ModifierInline(TenantInline):
    model = Modifier
    area = Area.MENU
    formset = ModifierFormSet
    fields = ("name", "price", "is_default", "aliases", "is_out", "count_left", "position")
    ordering_field = "position"
    hide_ordering_field = True
    hide_title = True


class ModifierGroupForm(TenantForm):
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        minimum, maximum = cleaned.get("minimum"), cleaned.get("maximum")
        if minimum is not None and maximum is not None and minimum > maximum:
            self.add_error("maximum", gettext("Enter at least the minimum."))
        menu = cleaned.get("menu") or getattr(self.instance, "menu", None)
        for modifier in cleaned.get("under") or ():
            if modifier.group_id == self.instance.pk:
                self.add_error("under", gettext("A group cannot follow one of its own modifiers."))
            elif menu is not None and modifier.group.menu_id != menu.pk:
                self.add_error("under", gettext("Choose only modifiers of the same menu."))
        for item in cleaned.get("items") or ():
            if menu is not None and item.category.menu_id != menu.pk:
                self.add_error("items", gettext("Choose only items of the same menu."))
        return cleaned


@admin.register(ModifierGroup)
class ModifierGroupAdmin(TenantAdmin[ModifierGroup]):
    area = Area.MENU
    form = ModifierGroupForm
    list_display = ("name", "menu", "choices", "used_with")
    list_filter = ("menu",)
    search_fields = ("name",)
    autocomplete_fields = ("items", "under")
    inlines = (ModifierInline,)
    fieldsets = (
        (None, {"fields": ("menu", "name", ("minimum", "maximum"))}),
        (_("Used with"), {"fields": ("items", "under")}),
    )

    def _menu_of_page(self, request: HttpRequest) -> Menu | None:
        """The menu of the group that is shown: only its items and modifiers go with the group."""
        match = request.resolver_match
        object_id = match.kwargs.get("object_id") if match else None
        group = self.get_object(request, object_id) if object_id else None
        return group.menu if group else None

    def completion_of(self, request: HttpRequest) -> dict[str, str]:
        menu = self._menu_of_page(request)
        return super().completion_of(request) | ({"menu": str(menu.pk)} if menu else {})

    def get_field_queryset(self, db: str | None, db_field: Any, request: HttpRequest) -> QuerySet[Any] | None:
        rows = super().get_field_queryset(db, db_field, request)
        menu = self._menu_of_page(request)
        if rows is None or menu is None or db_field.name not in ("items", "under"):
            return rows
        if db_field.name == "items":
            return rows.filter(category__menu=menu)
        match = request.resolver_match
        return rows.filter(group__menu=menu).exclude(group=match.kwargs.get("object_id") if match else None)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModifierGroup]:
        return super().get_queryset(request).select_related("menu").prefetch_related("items", "under")

    @display(description=_("choices"))
    def choices(self, group: ModifierGroup) -> str:
        if group.minimum == group.maximum:
            return gettext("Exactly %(minimum)s") % {"minimum": group.minimum}
        return gettext("%(minimum)s to %(maximum)s") % {"minimum": group.minimum, "maximum": group.maximum}

    @display(description=_("used with"))
    def used_with(self, group: ModifierGroup) -> str:
        names = [item.name for item in group.items.all()] + [f"“{each.name}”" for each in group.under.all()]
        return (
            ", ".join(names[:4])
            + (gettext(" and %(number)s more") % {"number": len(names) - 4} if len(names) > 4 else "")
            if names
            else "–"
        )


@admin.register(Modifier)
class ModifierAdmin(StockAdmin[Modifier]):
    form = AllergensForm
    menu_path = "group__menu"
    list_display = ("name", "group", "extra_price", "stock", "quick_action", "count_left", "aliases")
    list_editable = ("count_left",)
    list_filter = (StockFilter, "group")
    list_select_related = ("group__menu",)
    search_fields = ("name", "spoken_name", "aliases", "group__name")
    ordering = ("group__position", "group", "position", "id")
    fieldsets = (
        (None, {"fields": ("group", "name", "price", "is_default", "allergens")}),
        (_("Spoken names"), {"fields": ("spoken_name", "aliases")}),
        (_("Availability"), {"fields": ("is_out", "out_until", "count_left")}),
    )

    @display(description=_("extra price"), ordering="price")
    def extra_price(self, modifier: Modifier) -> str:
        return f"+{modifier.price:.2f}" if modifier.price else "–"
