"""A column that stores E.164 and accepts what people type; forms show the number formatted."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db import models

from .numbers import LONGEST_TYPED, read_number, show_number


class PhoneNumberFormField(forms.CharField):
    """Shows `+49 30 5550199`. The model field parses the input, because it knows the organization's region."""

    def prepare_value(self, value: Any) -> Any:
        return show_number(value) if value else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(initial, data) and (data or "").strip() != self.prepare_value(initial)


class PhoneNumberField(models.CharField[str, str]):
    """`clean` parses the number in the row's `phone_region` (ISO 3166; empty: the country code is required)."""

    def clean(self, value: Any, model_instance: models.Model | None) -> str:
        if value:
            value = read_number(str(value), region=getattr(model_instance, "phone_region", ""))
        return str(super().clean(value, model_instance))

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": PhoneNumberFormField, "max_length": LONGEST_TYPED, **kwargs})

    def deconstruct(self) -> Any:
        """In migrations it is an ordinary CharField."""
        name, _, arguments, options = super().deconstruct()
        return name, "django.db.models.CharField", arguments, options
