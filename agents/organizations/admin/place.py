"""Where a new organization is: its currency and time zone are asked for, or follow from its country, never assumed."""

from __future__ import annotations

from typing import Any

from django import forms

from voiceapp.core.countries import currency_of, zone_of, zones_of


def ask_for_place(form: forms.ModelForm[Any]) -> None:
    """Begin without a currency and a time zone, which follow from the country where they are left empty."""
    for name in ("currency", "time_zone"):
        if name in form.fields:
            form.fields[name].required = False
            if form.instance._state.adding:
                form.initial[name] = ""
            form.fields[name].help_text = "Empty: that of the country."


def derive_place(form: forms.ModelForm[Any], cleaned: dict[str, Any]) -> None:
    """Fill in what follows from the country; what does not is an error of its field."""
    country = cleaned.get("country", "")
    if not cleaned.get("currency") and "currency" not in form.errors:
        cleaned["currency"] = currency_of(country)
        if not cleaned["currency"]:
            form.add_error(
                "currency", "Which currency are the prices in? Three capitals, like EUR; or choose a country."
            )
    if not cleaned.get("time_zone") and "time_zone" not in form.errors:
        cleaned["time_zone"] = zone_of(country)
        if not cleaned["time_zone"] and country:
            form.add_error("time_zone", f"This country has several. Choose one, like {zones_of(country)[0]}.")
        elif not cleaned["time_zone"]:
            form.add_error("time_zone", "Choose the time zone that clocks there show, or a country.")
