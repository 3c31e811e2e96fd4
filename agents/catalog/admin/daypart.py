"""Times of day at which parts of a menu are sold."""

from __future__ import annotations

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from agents.catalog.dayparts import say_spans
from agents.catalog.models import Daypart, DaypartSpan
from agents.organizations.roles import Area
from agents.tenant_admin.forms import TenantFormSet
from agents.tenant_admin.inlines import TenantInline
from agents.tenant_admin.tenant import TenantAdmin
from agents.tenant_admin.theme import display


class SpanFormSet(TenantFormSet):
    def clean(self) -> None:
        super().clean()
        if not self.kept():
            raise forms.ValidationError(gettext("Enter at least one span, like daily from 07:00 until 11:00."))


class SpanInline(TenantInline):
    model = DaypartSpan
    area = Area.MENU
    formset = SpanFormSet
    fields = ("days", "begins_at", "ends_at")
    verbose_name_plural = _("times (one that ends before it begins runs past midnight)")

    def get_extra(self, request: HttpRequest, obj: Daypart | None = None, **kwargs: object) -> int:
        return 0 if obj else 1


@admin.register(Daypart)
class DaypartAdmin(TenantAdmin[Daypart]):
    area = Area.MENU
    list_display = ("name", "times", "used_by", "organization")
    list_filter = ("organization",)
    list_select_related = ("organization",)
    search_fields = ("name",)
    fields = ("organization", "name")
    inlines = (SpanInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Daypart]:
        counts = {name: Count(name, distinct=True) for name in ("menus", "categories", "items")}
        counted = {f"{name}_count": count for name, count in counts.items()}
        return super().get_queryset(request).prefetch_related("spans").annotate(**counted)

    @display(description=_("times"))
    def times(self, daypart: Daypart) -> str:
        return say_spans(daypart.spans.all())

    @display(description=_("used by"))
    def used_by(self, daypart: Daypart) -> str:
        menus, categories, items = (getattr(daypart, f"{each}_count", 0) for each in ("menus", "categories", "items"))
        used = (
            (menus, ngettext("%(number)s menu", "%(number)s menus", menus)),
            (categories, ngettext("%(number)s category", "%(number)s categories", categories)),
            (items, ngettext("%(number)s item", "%(number)s items", items)),
        )
        return ", ".join(text % {"number": number} for number, text in used if number) or "–"
