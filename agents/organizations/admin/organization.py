"""The organization itself: its hours, prices and limits."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.hours.models import OpeningHours, SpecialDay
from agents.organizations.access import access_of
from agents.organizations.models import Organization
from agents.organizations.roles import Area, Power, Role
from agents.tenant_admin.buttons import Button
from agents.tenant_admin.forms import TenantForm
from agents.tenant_admin.inlines import TenantInline
from agents.tenant_admin.tenant import TenantAdmin
from agents.tenant_admin.theme import CheckboxSelectMultiple, Select, display
from voiceapp.core.countries import country_names

from .location import derive_location, make_location_optional, show_percent, zone_choices


class OrganizationForm(TenantForm):
    """What is not given stays as it is, or is derived from the rest."""

    two_factor_roles = forms.MultipleChoiceField(
        label=_("two-factor sign-in is required of"),
        choices=Role.choices,
        required=False,
        widget=CheckboxSelectMultiple(),
        help_text=_(
            "People in these roles set it up at their next sign-in. Leave Kitchen out where a tablet is shared. Only "
            "owners change this."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        show_percent(self)
        for name in {"trade", "voicemail", "voicemail_days"} & set(self.fields):
            self.fields[name].required = False  # not given: as it is, or the model's own default
        if self.instance._state.adding:
            make_location_optional(self)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.instance._state.adding:
            derive_location(self, cleaned)
        return cleaned

    def clean_trade(self) -> str:
        return str(self.cleaned_data["trade"] or self.instance.trade)

    def clean_voicemail(self) -> str:
        return str(self.cleaned_data["voicemail"] or self.instance.voicemail)

    def clean_voicemail_days(self) -> int:
        days = self.cleaned_data["voicemail_days"]
        return self.instance.voicemail_days if days is None else int(days)


class HoursInline(TenantInline):
    model = OpeningHours
    area = Area.ORGANIZATION
    verbose_name_plural = _("opening hours (empty: open around the clock)")


class SpecialDayInline(TenantInline):
    model = SpecialDay
    area = Area.ORGANIZATION
    verbose_name_plural = _("special days (without times: closed all day)")


@admin.register(Organization)
class OrganizationAdmin(TenantAdmin[Organization]):
    """One page for the settings of the whole organization."""

    area = Area.ORGANIZATION
    form = OrganizationForm
    list_display = ("name", "time_zone", "currency", "tax", "takes_orders", "max_live_calls")
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    inlines = (HoursInline, SpecialDayInline)
    fieldsets = (
        (None, {"fields": ("name", "slug", "trade", "country", "language", "time_zone", "closed_message")}),
        (_("Calls"), {"fields": ("max_live_calls",)}),
        (_("Prices and tax"), {"fields": ("currency", "tax_percent", "prices_include_tax", "largest_order_total")}),
        (_("Orders"), {"fields": ("takes_orders",)}),
        (_("Voicemail"), {"fields": ("voicemail", "voicemail_greeting", "voicemail_email",
                                  "deletes_voicemail_at_carrier", "voicemail_days")}),
        (_("Recordings"), {"fields": ("deletes_recordings_at_provider",)}),
        (_("Sign-in"), {"fields": ("two_factor_roles", "clerk_id")}),
    )  # fmt: skip
    buttons = (
        Button(
            "pause-orders",
            _("Pause orders"),
            "pause_orders",
            icon="pause",
            power=Power.EDIT,
            is_offered=lambda organization: organization.takes_orders,
        ),
        Button(
            "resume-orders",
            _("Resume orders"),
            "resume_orders",
            icon="play_arrow",
            style="primary",
            power=Power.EDIT,
            is_offered=lambda organization: not organization.takes_orders,
        ),
    )

    @display(description=_("tax"))
    def tax(self, organization: Organization) -> str:
        text = (
            gettext("%(percent)s %% included") if organization.prices_include_tax else gettext("%(percent)s %% added")
        )
        return text % {"percent": f"{organization.tax_percent.normalize():f}"}

    def pause_orders(self, request: HttpRequest, organization: Organization, _: str) -> str:
        Organization.objects.filter(pk=organization.pk).update(takes_orders=False)
        return gettext("Orders are paused. The agents still answer calls.")

    def resume_orders(self, request: HttpRequest, organization: Organization, _: str) -> str:
        Organization.objects.filter(pk=organization.pk).update(takes_orders=True)
        return gettext("Orders are resumed.")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return access_of(request).sees_all

    def has_delete_permission(self, request: HttpRequest, obj: Organization | None = None) -> bool:
        return access_of(request).sees_all

    def get_readonly_fields(self, request: HttpRequest, obj: Organization | None = None) -> tuple[str, ...]:
        """Another organization's Clerk id here would grant access to its members: only superusers set it."""
        fields, access = super().get_readonly_fields(request, obj), access_of(request)
        if not access.may(Area.OWNERS, Power.EDIT, obj.pk if obj else None):
            fields = (*fields, "two_factor_roles")
        return fields if access.sees_all else (*fields, "clerk_id")

    def get_prepopulated_fields(self, request: HttpRequest, obj: Organization | None = None) -> dict[str, Any]:
        return {} if obj else dict(super().get_prepopulated_fields(request, obj))

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "time_zone":
            kwargs["widget"] = Select(choices=zone_choices())
        if db_field.name == "country":
            kwargs["widget"] = Select(choices=[("", gettext("Same as the time zone")), *country_names().items()])
        return super().formfield_for_dbfield(db_field, request, **kwargs)
