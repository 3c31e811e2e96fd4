"""The page that changes many prices of a menu, with a preview; and putting them back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from agents.catalog.models import Category, Menu, MenuChange, Size
from agents.catalog.prices import Ending, PriceRule, PricesChanged, change_prices, digest_of, new_prices, undo_prices
from agents.organizations.roles import Power
from agents.tenant_admin.theme import CheckboxSelectMultiple, Select, TextInput
from voiceapp.core.errors import ApplicationError

from .menu_files import MenuFiles

PERCENT, AMOUNT = "percent", "amount"


class NumberField(forms.DecimalField):
    """With a point or a comma."""

    def to_python(self, value: Any) -> Any:
        return super().to_python(value.replace(",", ".") if isinstance(value, str) else value)


class PriceForm(forms.Form):
    """By how much, which prices, and how they end."""

    by = NumberField(
        label=_("Change by"),
        min_value=Decimal(-10000),
        max_value=Decimal(10000),
        decimal_places=2,
        widget=TextInput(attrs={"inputmode": "decimal"}),
        help_text=_("5 adds, -5 takes away."),
        error_messages={
            "required": _("Enter a number, like 5 or -0.50."),
            "invalid": _("Enter a number, like 5 or -0.50."),
        },
    )
    unit = forms.ChoiceField(
        label=_("Percent or amount"), choices=[(PERCENT, _("Percent")), (AMOUNT, _("Amount"))], widget=Select()
    )
    ending = forms.ChoiceField(
        label=_("New prices end with"),
        choices=[(each.value, each.label) for each in Ending],
        widget=Select(),
        required=False,
    )
    categories = forms.ModelMultipleChoiceField(
        label=_("Categories"), queryset=Category.objects.none(), required=False, widget=CheckboxSelectMultiple(),
        help_text=_("None selected: all of them."),
    )  # fmt: skip
    size = forms.ChoiceField(label=_("Size"), required=False, widget=Select())
    with_modifiers = forms.BooleanField(label=_("Also the prices that modifiers add"), required=False)

    def __init__(self, menu: Menu, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        categories = self.fields["categories"]
        assert isinstance(categories, forms.ModelMultipleChoiceField)
        categories.queryset = Category.objects.filter(menu=menu)
        names = Size.objects.filter(item__category__menu=menu).order_by("name").values_list("name", flat=True)
        size = self.fields["size"]
        assert isinstance(size, forms.ChoiceField)
        size.choices = [
            ("", gettext("All sizes, and items without sizes")),
            *((name, name) for name in dict.fromkeys(names)),
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        by = cleaned.get("by")
        if by == 0:
            self.add_error("by", gettext("Enter another number than 0."))
        elif by is not None and cleaned.get("unit") == PERCENT and not -100 < by <= 1000:
            self.add_error("by", gettext("Enter a percentage above -100 and up to 1000."))
        return cleaned

    def rule(self) -> PriceRule:
        cleaned = self.cleaned_data
        by, is_percent = cleaned["by"], cleaned["unit"] == PERCENT
        return PriceRule(
            percent=by if is_percent else Decimal(0),
            amount=Decimal(0) if is_percent else by,
            ending=Ending(cleaned["ending"] or Ending.CENT),
            categories=frozenset(category.pk for category in cleaned["categories"]),
            size=cleaned["size"],
            with_modifiers=cleaned["with_modifiers"],
        )


class MenuPrices(MenuFiles):
    """Prices of many rows at once."""

    def get_urls(self) -> list[URLPattern]:
        undo = "<path:object_id>/changes/<int:change>/undo/"
        return [
            path("<path:object_id>/prices/", self.page(self.prices), name="agents_menu_prices"),
            path(undo, self.page(self.undo), name="agents_menu_undo"),
            *super().get_urls(),
        ]

    def prices(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """GET shows the form, POST what would change, POST with the digest of that saves it."""
        menu = self.menu_of(request, object_id, Power.EDIT)
        form = PriceForm(menu, request.POST or None)
        if request.method != "POST" or not form.is_valid():
            return self._show_prices(request, menu, form)
        rule, digest = form.rule(), request.POST.get("digest", "")
        if not digest or "again" in request.POST:
            return self._show_prices(request, menu, form, rule=rule)
        try:
            changed = change_prices(menu, rule, by=request.user.get_username(), digest=digest)
        except PricesChanged as exc:
            return self._show_prices(request, menu, form, rule=rule, fault=str(exc))
        number = len(changed)
        outcome = ngettext(
            "%(number)s price changed by %(says)s.", "%(number)s prices changed by %(says)s.", number
        ) % {"number": number, "says": rule.says()}
        self.log_change(request, menu, outcome)
        self.message_user(
            request,
            gettext("%(outcome)s They can be put back below, under “Changes of many rows”.") % {"outcome": outcome},
        )
        return HttpResponseRedirect(self.page_of(menu))

    def _show_prices(
        self, request: HttpRequest, menu: Menu, form: PriceForm, *, rule: PriceRule | None = None, fault: str = ""
    ) -> HttpResponse:
        found = new_prices(menu, rule) if rule else []
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Change prices of %(menu)s") % {"menu": menu},
            "opts": self.opts,
            "menu": menu,
            "menu_url": self.page_of(menu),
            "form": form,
            "is_preview": rule is not None,
            "prices": found,
            "digest": digest_of(found) if found else "",
            "currency": menu.organization.currency,
            "fault": fault,
        }
        return TemplateResponse(request, "admin/agents/menu/prices.html", context)

    def undo(self, request: HttpRequest, object_id: str, change: int) -> HttpResponse:
        """Put the prices of a change back."""
        menu = self.menu_of(request, object_id, Power.EDIT)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = MenuChange.objects.filter(menu=menu, pk=change).first()
        if row is None:
            raise Http404("There is no such change.")
        try:
            back, others = undo_prices(row, by=request.user.get_username())
        except ApplicationError as exc:
            self.message_user(request, str(exc), level="warning")
            return HttpResponseRedirect(self.page_of(menu))
        outcome = ngettext("%(title)s: %(number)s price put back.", "%(title)s: %(number)s prices put back.", back) % {
            "title": row.title,
            "number": back,
        }
        if others:
            left = (
                gettext("Changed since, and left: %(prices)s and others.")
                if len(others) > 5
                else gettext("Changed since, and left: %(prices)s.")
            ) % {"prices": ", ".join(others[:5])}
            outcome = f"{outcome} {left}"
        self.log_change(request, menu, outcome[:200])
        self.message_user(request, outcome)
        return HttpResponseRedirect(self.page_of(menu))
