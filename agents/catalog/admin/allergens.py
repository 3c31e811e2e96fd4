"""Allergens as check boxes."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from agents.catalog.allergens import CHOICES, in_order, validate_allergens
from agents.tenant_admin.forms import TenantForm
from agents.tenant_admin.theme import CheckboxSelectMultiple


class AllergensForm(TenantForm):
    """Of an item or a modifier."""

    allergens = forms.MultipleChoiceField(
        choices=[(key, capfirst(label)) for key, label in CHOICES],
        required=False,
        widget=CheckboxSelectMultiple(),
        help_text=_("The agent says these when it is asked. Choose none, and it says that it does not know."),
    )

    def clean_allergens(self) -> list[str]:
        chosen = in_order(self.cleaned_data["allergens"])
        try:
            validate_allergens(chosen)
        except ValidationError as exc:
            raise forms.ValidationError(exc.messages) from exc
        return chosen
