"""The currency and time zone of a new organization: entered, or derived from its country, never assumed."""

from __future__ import annotations

import zoneinfo
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext

from voiceapp.core.countries import currency_of, zone_of, zones_of


def zone_choices() -> list[tuple[str, str]]:
    """The names of IANA that are a place's or an offset's."""
    names = zoneinfo.available_timezones() - {"Factory", "localtime"}
    return [("", gettext("Same as the country")), *((name, name) for name in sorted(names))]


def show_percent(form: forms.ModelForm[Any]) -> None:
    """“7”, not “7.000”."""
    percent = form.initial.get("tax_percent", form.instance.tax_percent)
    if "tax_percent" in form.fields and isinstance(percent, Decimal):
        is_whole = percent == percent.to_integral_value()
        form.initial["tax_percent"] = percent.quantize(Decimal(1)) if is_whole else percent.normalize()


def make_location_optional(form: forms.ModelForm[Any]) -> None:
    """Make currency and time zone optional: left empty, they are derived from the country."""
    for name in ("currency", "time_zone"):
        if name in form.fields:
            form.fields[name].required = False
            if form.instance._state.adding:
                form.initial[name] = ""
            form.fields[name].help_text = gettext("Leave empty to use the country's.")


def derive_location(form: forms.ModelForm[Any], cleaned: dict[str, Any]) -> None:
    """Fill in what follows from the country; otherwise add an error to the field."""
    country = cleaned.get("country", "")
    if not cleaned.get("currency") and "currency" not in form.errors:
        cleaned["currency"] = currency_of(country)
        if not cleaned["currency"]:
            form.add_error("currency", gettext("Enter the currency of the prices, like EUR, or choose a country."))
    if not cleaned.get("time_zone") and "time_zone" not in form.errors:
        cleaned["time_zone"] = zone_of(country)
        if not cleaned["time_zone"] and country:
            form.add_error(
                "time_zone",
                gettext("This country has several time zones. Choose one, like %(zones_of)s.")
                % {"zones_of": zones_of(country)[0]},
            )
        elif not cleaned["time_zone"]:
            form.add_error("time_zone", gettext("Choose the time zone, or a country."))
