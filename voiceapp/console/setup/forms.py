"""The forms of the setup: what a phone line needs, and no more."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.catalog.models import Category, Item, validate_speakable
from agents.configuration.admin.suggestions import suggestions_for
from agents.configuration.models import Agent
from agents.hours.models import OpeningHours
from agents.organizations.admin.location import derive_location, make_location_optional, show_percent, zone_choices
from agents.organizations.models import Organization
from agents.tenant_admin.forms import TenantForm
from agents.tenant_admin.theme import CheckboxSelectMultiple, Select, Textarea, TextInput
from agents.transfers.models import TransferTarget
from telephony.twilio.models import PhoneNumber
from voiceapp.core.countries import country_names

PRICED_LINE = re.compile(r"^(?P<name>.*?\S)[\s:,;.–-]*\s(?P<price>\d{1,6}(?:[.,]\d{1,2})?)\s*(?:€|\$|£|[A-Z]{3})?$")
EVERY_DAY = [str(day.value) for day in OpeningHours.Weekday]
MOST_LINES = 200


class BusinessForm(TenantForm):
    """What the organization is, and where."""

    country = forms.ChoiceField(
        choices=[("", _("Choose the country")), *country_names().items()], widget=Select(),
        help_text=_("Sets the currency, time zone and phone number format."),
    )  # fmt: skip

    class Meta:
        model = Organization
        fields = ("name", "trade", "country", "time_zone", "currency", "tax_percent", "prices_include_tax")
        widgets = {"name": TextInput(), "trade": Select(), "time_zone": Select(choices=zone_choices()),
                   "currency": TextInput(), "tax_percent": TextInput(attrs={"inputmode": "decimal"})}  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        show_percent(self)
        make_location_optional(self)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        derive_location(self, cleaned)
        return cleaned


class HoursForm(forms.Form):
    """The same hours on all selected days; the organization's page can set them day by day."""

    days = forms.MultipleChoiceField(
        label=_("Open on"), required=False, initial=EVERY_DAY, widget=CheckboxSelectMultiple(),
        choices=[(str(day.value), day.label) for day in OpeningHours.Weekday],
    )  # fmt: skip
    opens_at = forms.TimeField(
        label=_("Opens at"), required=False, initial="11:00", widget=TextInput(attrs={"type": "time"})
    )
    closes_at = forms.TimeField(
        label=_("Closes at"), required=False, initial="22:00", widget=TextInput(attrs={"type": "time"}),
        help_text=_("A time at or before the opening time means open past midnight."),
    )  # fmt: skip
    is_always_open = forms.BooleanField(label=_("Open around the clock"), required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("is_always_open"):
            return cleaned
        for name, message in (
            ("days", gettext("Select the days.")),
            ("opens_at", gettext("Enter the opening time.")),
            ("closes_at", gettext("Enter the closing time.")),
        ):
            if not cleaned.get(name) and name not in self.errors:
                self.add_error(name, message)
        return cleaned


class MenuForm(forms.Form):
    """Items with prices, one per line; sizes and modifiers are added on the menu's pages."""

    heading = forms.CharField(
        label=_("Category"), max_length=80, initial=_("Menu"), widget=TextInput(), validators=[validate_speakable],
        help_text=_("The heading above these items, like Pizzas or Services."),
    )  # fmt: skip
    items = forms.CharField(
        label=_("Items with prices"),
        widget=Textarea(attrs={"rows": 8, "placeholder": _("Margherita 9.50\nTiramisu 5")}),
        help_text=_("One item per line: the name, then the price."),
    )

    def clean_items(self) -> list[tuple[str, Decimal]]:
        lines = [line.strip() for line in self.cleaned_data["items"].splitlines() if line.strip()][: MOST_LINES + 1]
        if len(lines) > MOST_LINES:
            raise forms.ValidationError(
                gettext("Enter at most %(most_lines)s items at once.") % {"most_lines": MOST_LINES}
            )
        return [self._read(line) for line in lines]

    def _read(self, line: str) -> tuple[str, Decimal]:
        found = PRICED_LINE.match(line)
        if found is None:
            raise forms.ValidationError(
                gettext("“%(line)s” has no price at its end. Write it like Margherita 9.50.") % {"line": line[:60]}
            )
        price = Decimal(found["price"].replace(",", "."))
        try:
            Item(category=Category(), name=found["name"], price=price).clean_fields(exclude=["category"])
        except forms.ValidationError as exc:
            raise forms.ValidationError(
                gettext("“%(line)s”: %(messages)s") % {"line": line[:60], "messages": " ".join(exc.messages)}
            ) from exc
        return found["name"], price


class PersonForm(TenantForm):
    """A person to whom callers can be transferred."""

    class Meta:
        model = TransferTarget
        fields = ("name", "number", "when_to_use")
        widgets = {name: TextInput() for name in fields}


class NumberForm(TenantForm):
    """The number that callers dial."""

    class Meta:
        model = PhoneNumber
        fields = ("number", "label")
        widgets = {name: TextInput() for name in fields}


class AgentSetupForm(TenantForm):
    """The main settings of an agent; its own page has all of them."""

    class Meta:
        model = Agent
        fields = ("name", "language", "greeting", "prompt")
        widgets = {"name": TextInput(), "language": suggestions_for("language"), "greeting": TextInput(),
                   "prompt": Textarea(attrs={"rows": 10})}  # fmt: skip
