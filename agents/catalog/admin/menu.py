"""Menus: categories with their items, items with their sizes, choices with their modifiers."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html

from agents.catalog.models import Category, Item, Menu, Modifier, ModifierGroup, Size
from agents.catalog.services import settle_price
from agents.organizations.access import access_of
from agents.organizations.roles import Area, Power
from agents.tenant_admin.forms import TenantForm, TenantFormSet
from agents.tenant_admin.inlines import TenantInline
from agents.tenant_admin.tenant import TenantAdmin
from agents.tenant_admin.theme import CheckboxSelectMultiple, display

from .menu_preview import preview_of
from .stock import StockAdmin, StockFilter, number_of


def show_message(request: HttpRequest, sentence: str) -> None:
    """Show what happened to a price, if anything did."""
    if sentence:
        messages.info(request, sentence)


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

    @display(description="items")
    def open_items(self, category: Category) -> str:
        if category._state.adding:
            return "Save first."
        url = reverse("admin:agents_category_change", args=(category.pk,))
        number = getattr(category, "item_count", 0)
        return format_html('<a class="va-link va-nowrap" href="{}">{}</a>', url, number_of(number, "item", "items"))


@admin.register(Menu)
class MenuAdmin(TenantAdmin[Menu]):
    area = Area.MENU
    list_display = ("name", "organization", "is_active", "categories", "items")
    list_filter = ("is_active", "organization")
    search_fields = ("name",)
    fields = ("organization", "name", "is_active")
    inlines = (CategoryInline,)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        menu = self.get_object(request, object_id)
        context = {"preview": preview_of(menu)} if menu else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Menu]:
        counts = {
            "category_count": Count("categories", distinct=True),
            "item_count": Count("categories__items", distinct=True),
        }
        return super().get_queryset(request).select_related("organization").annotate(**counts)

    @display(description="categories")
    def categories(self, menu: Menu) -> str:
        url = f"{reverse('admin:agents_category_changelist')}?menu__id__exact={menu.pk}"
        number = number_of(getattr(menu, "category_count", 0), "category", "categories")
        return format_html('<a class="va-link" href="{}">{}</a>', url, number)

    @display(description="items")
    def items(self, menu: Menu) -> str:
        return number_of(getattr(menu, "item_count", 0), "item", "items")


class ItemRowForm(TenantForm):
    """An item in the table of its category: without sizes it needs a price."""

    def clean_price(self) -> Any:
        price = self.cleaned_data["price"]
        if price is None and not (self.instance.pk and self.instance.sizes.exists()):
            raise forms.ValidationError("Enter a price. Sizes with their own prices can be added on the item's page.")
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

    @display(description="details")
    def open_item(self, item: Item) -> str:
        if item._state.adding:
            return "Save first."
        url = reverse("admin:agents_item_change", args=(item.pk,))
        return format_html('<a class="va-link va-nowrap" href="{}">Open</a>', url)


@admin.register(Category)
class CategoryAdmin(TenantAdmin[Category]):
    area = Area.MENU
    list_display = ("name", "menu", "items")
    list_filter = ("menu",)
    search_fields = ("name",)
    fields = ("menu", "name")
    inlines = (ItemInline,)
    ordering = ("menu", "position", "id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Category]:
        return super().get_queryset(request).select_related("menu").annotate(item_count=Count("items"))

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        for row in formset.forms:
            if row.instance.pk and "price" in row.changed_data:
                show_message(request, settle_price(row.instance, was_typed=True))

    @display(description="items")
    def items(self, category: Category) -> int:
        return int(getattr(category, "item_count", 0))


class SizeForm(TenantForm):
    only_one = "is_default"


class SizeFormSet(TenantFormSet):
    only_one = "is_default"

    def clean(self) -> None:
        super().clean()
        if self.instance.price is None and not self.kept():
            raise forms.ValidationError("Enter a price for the item, or at least one size with its price.")


class SizeInline(TenantInline):
    model = Size
    area = Area.MENU
    form = SizeForm
    formset = SizeFormSet
    fields = ("name", "price", "is_default", "aliases", "is_out", "count_left", "position")
    ordering_field = "position"
    hide_ordering_field = True
    hide_title = True


class ItemForm(TenantForm):
    """An item with the choices that come with it."""

    choices = forms.ModelMultipleChoiceField(
        label="Modifier groups",
        queryset=ModifierGroup.objects.none(), required=False, widget=CheckboxSelectMultiple(),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "choices" in self.fields and self.instance.pk:
            self.fields["choices"].initial = list(self.instance.modifier_groups.all())

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        category, choices = cleaned.get("category"), cleaned.get("choices")
        if category and choices and any(group.menu_id != category.menu_id for group in choices):
            self.add_error("choices", "Choose only modifier groups of the same menu.")
        return cleaned


@admin.register(Item)
class ItemAdmin(StockAdmin[Item]):
    form = ItemForm
    menu_path = "category__menu"
    list_display = ("name", "category", "price_range", "stock", "quick_action", "count_left", "aliases")
    list_editable = ("count_left",)
    list_filter = (StockFilter, "category")
    list_select_related = ("category__menu__organization",)
    search_fields = ("name", "spoken_name", "aliases")
    ordering = ("category__menu", "category__position", "category", "position", "id")
    inlines = (SizeInline,)
    fieldsets = (
        (None, {"fields": ("category", "name", "description", "price")}),
        ("Spoken names", {"fields": ("spoken_name", "aliases")}),
        ("Availability", {"fields": ("is_out", "out_until", "count_left", "most_per_order")}),
        ("Modifier groups", {"fields": ("choices",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Item]:
        return super().get_queryset(request).prefetch_related("sizes")

    @display(description="price", ordering="price")
    def price_range(self, item: Item) -> str:
        own = [] if item.price is None else [item.price]
        prices = sorted({size.price for size in item.sizes.all()}) or own
        currency = item.category.menu.organization.currency
        if not prices:
            return "No price"
        span = f"{prices[0]:.2f}" if len(prices) == 1 else f"{prices[0]:.2f} – {prices[-1]:.2f}"
        return format_html('<span class="va-nowrap">{} {}</span>', span, currency)

    @display(description="modifier groups")
    def choices(self, item: Item) -> str:
        """For read-only pages; in a form the field of this name is shown instead."""
        return ", ".join(group.name for group in item.modifier_groups.all()) or "None"

    def get_form(self, request: HttpRequest, obj: Item | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        field = form.base_fields.get("choices")
        if isinstance(field, forms.ModelMultipleChoiceField):
            groups = ModifierGroup.objects.visible_to(access_of(request).principal(Area.MENU, Power.EDIT))
            of_page = groups.filter(menu__organization=self.organization_of_page(request)).select_related("menu")
            field.queryset = groups.filter(menu=obj.category.menu_id) if obj else of_page
            field.help_text = self._choices_hint(request, obj)
        return form

    def _choices_hint(self, request: HttpRequest, item: Item | None) -> str:
        """With a link to add a group in a pop-up, so that unsaved input on the item's page is kept."""
        menus = Menu.objects.filter(organization=self.organization_of_page(request)).values_list("pk", flat=True)[:2]
        menu = item.category.menu_id if item else (menus[0] if len(menus) == 1 else None)
        query = {"_popup": 1} | ({"menu": menu} if menu else {"organization": self.organization_of_page(request) or ""})
        return format_html(
            'What the caller is asked, or can ask for, with this item. <a class="va-link related-widget-wrapper-link '
            'add-related" id="add_id_choices" data-popup="yes" data-new-choices-of="choices" target="_blank" '
            'href="{}?{}">Add modifier group</a>',
            reverse("admin:agents_modifiergroup_add"),
            urlencode(query),
        )

    @property
    def media(self) -> forms.Media:
        module: Any = forms.Script("voiceapp/new_choices.mjs", type="module")  # the stubs know names alone
        return super().media + forms.Media(js=[module])

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if "choices" in form.changed_data:
            form.instance.modifier_groups.set(form.cleaned_data["choices"])
        if self.has_power(request, Power.EDIT, form.instance):
            show_message(request, settle_price(form.instance, was_typed="price" in form.changed_data))


class ModifierFormSet(TenantFormSet):
    def clean(self) -> None:
        super().clean()
        defaults = sum(
            bool(form.cleaned_data.get("is_default")) for form in self.kept() if hasattr(form, "cleaned_data")
        )
        if defaults > self.instance.maximum:
            raise forms.ValidationError(
                f"{defaults} are marked as default, but at most {self.instance.maximum} can be chosen."
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
            self.add_error("maximum", "Enter at least the minimum.")
        menu = cleaned.get("menu") or getattr(self.instance, "menu", None)
        for modifier in cleaned.get("under") or ():
            if modifier.group_id == self.instance.pk:
                self.add_error("under", "A group cannot follow one of its own modifiers.")
            elif menu is not None and modifier.group.menu_id != menu.pk:
                self.add_error("under", "Choose only modifiers of the same menu.")
        for item in cleaned.get("items") or ():
            if menu is not None and item.category.menu_id != menu.pk:
                self.add_error("items", "Choose only items of the same menu.")
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
        ("Used with", {"fields": ("items", "under")}),
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

    @display(description="choices")
    def choices(self, group: ModifierGroup) -> str:
        if group.minimum == group.maximum:
            return f"Exactly {group.minimum}"
        return f"{group.minimum} to {group.maximum}"

    @display(description="used with")
    def used_with(self, group: ModifierGroup) -> str:
        names = [item.name for item in group.items.all()] + [f"“{each.name}”" for each in group.under.all()]
        return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "") if names else "–"


@admin.register(Modifier)
class ModifierAdmin(StockAdmin[Modifier]):
    menu_path = "group__menu"
    list_display = ("name", "group", "extra_price", "stock", "quick_action", "count_left", "aliases")
    list_editable = ("count_left",)
    list_filter = (StockFilter, "group")
    list_select_related = ("group__menu",)
    search_fields = ("name", "spoken_name", "aliases", "group__name")
    ordering = ("group__position", "group", "position", "id")
    fieldsets = (
        (None, {"fields": ("group", "name", "price", "is_default")}),
        ("Spoken names", {"fields": ("spoken_name", "aliases")}),
        ("Availability", {"fields": ("is_out", "out_until", "count_left")}),
    )

    @display(description="extra price", ordering="price")
    def extra_price(self, modifier: Modifier) -> str:
        return f"+{modifier.price:.2f}" if modifier.price else "–"
