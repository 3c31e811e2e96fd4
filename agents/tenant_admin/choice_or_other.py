"""A field with suggestions: a list of usual values, and “Other” with a text field for any other value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext

from .theme import Select, TextInput

# No value can be this character alone.
OTHER = "…"


class ChoiceOrOther(forms.MultiWidget):
    """The text field is shown while “Other…” is selected (admin.css). The list alone posts the field's own name."""

    use_fieldset = False

    def __init__(self, choices: Iterable[tuple[str, str]], *, label: str) -> None:
        offered = [*choices, (OTHER, gettext("Other…"))]
        self.values = {value for value, _ in offered}
        select = Select(attrs={"class": "va-choice-list"}, choices=offered)
        text = TextInput(attrs={"class": "va-choice-other", "aria-label": label, "placeholder": label})
        super().__init__(widgets={"": select, "other": text})

    def decompress(self, value: Any) -> list[str]:
        text = "" if value is None else str(value)
        return [text, ""] if text in self.values - {OTHER} else [OTHER, text]

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Any:
        chosen = data.get(name)
        return data.get(f"{name}_other", "") if chosen == OTHER else chosen

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return name not in data

    def id_for_label(self, id_: str) -> str:
        return f"{id_}_0" if id_ else ""

    def use_required_attribute(self, initial: Any) -> bool:
        """The browser could not point at the text field while it is hidden."""
        return False
