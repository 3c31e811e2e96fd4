"""Items with their sizes and the modifier groups that come with them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.catalog.models import Item, Menu, ModifierGroup, Size
from agents.catalog.services import settle_price
from agents.organizations.access import access_of
from agents.organizations.roles import Area, Power
from agents.tenant_admin.forms import TenantForm, TenantFormSet
from agents.tenant_admin.inlines import TenantInline
from agents.tenant_admin.theme import CheckboxSelectMultiple, display

from .allergens import AllergensForm
from .stock import StockAdmin, StockFilter


def show_message(request: HttpRequest, sentence: str) -> None:
    """Show what happened to a price, if anything did."""
    if sentence:
        messages.info(request, sentence)


class SizeForm(TenantForm):
    only_one = "is_default"


class SizeFormSet(TenantFormSet):
    only_one = "is_default"

    def clean(self) -> None:
        super().clean()
        if self.instance.price is None and not self.kept():
            raise forms.ValidationError(gettext("Enter a price for the item, or at least one size with its price."))


class SizeInline(TenantInline):
    model = Size
    area = Area.MENU
    form = SizeForm
    formset = SizeFormSet
    fields = ("name", "price", "is_default", "aliases", "is_out", "count_left", "position")
    ordering_field = "position"
    hide_ordering_field = True
    hide_title = True


class ItemForm(AllergensForm):
    """An item with the choices that come with it."""

    choices = forms.ModelMultipleChoiceField(
        label=_("Modifier groups"),
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
            self.add_error("choices", gettext("Choose only modifier groups of the same menu."))
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
        (None, {"fields": ("category", "name", "description", "price", "allergens")}),
        (_("Spoken names"), {"fields": ("spoken_name", "aliases")}),
        (_("Availability"), {"fields": ("daypart", "is_out", "out_until", "count_left", "most_per_order")}),
        (_("Modifier groups"), {"fields": ("choices",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Item]:
        return super().get_queryset(request).prefetch_related("sizes")

    @display(description=_("price"), ordering="price")
    def price_range(self, item: Item) -> str:
        own = [] if item.price is None else [item.price]
        prices = sorted({size.price for size in item.sizes.all()}) or own
        currency = item.category.menu.organization.currency
        if not prices:
            return gettext("No price")
        span = f"{prices[0]:.2f}" if len(prices) == 1 else f"{prices[0]:.2f} – {prices[-1]:.2f}"
        return format_html('<span class="va-nowrap">{} {}</span>', span, currency)

    @display(description=_("modifier groups"))
    def choices(self, item: Item) -> str:
        """For read-only pages; in a form the field of this name is shown instead."""
        return ", ".join(group.name for group in item.modifier_groups.all()) or gettext("None")

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
            'What the agent offers, or the caller can request, with this item. <a data-new-choices-of="choices" '
            'class="va-link related-widget-wrapper-link add-related" id="add_id_choices" data-popup="yes" '
            'target="_blank" href="{}?{}">Add modifier group</a>',
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
