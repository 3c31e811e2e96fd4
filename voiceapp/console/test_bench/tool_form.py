"""The form of a tool, made from the JSON schema that the model gets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from agents.tenant_admin.theme import Select, Textarea, TextInput
from sessions.tools.registry import EVERY_TOOL
from sessions.tools.tool import schema_of

LONGEST_JSON = 8000


class JsonField(forms.CharField):
    """A list or an object, written as JSON. An empty list is given: what it means, the tool says."""

    empty_values = [None, ""]

    def __init__(self, schema: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(widget=Textarea(attrs={"rows": 6, "spellcheck": "false"}), max_length=LONGEST_JSON, **kwargs)
        self.wanted = list if schema.get("type") == "array" else dict

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text:
            return None
        try:
            read = json.loads(text)
        except (ValueError, RecursionError) as exc:
            raise forms.ValidationError(_("This is no JSON: %(why)s") % {"why": exc}) from exc
        if not isinstance(read, self.wanted):
            wanted = _("a list in [ ]") if self.wanted is list else _("an object in { }")
            raise forms.ValidationError(_("Write %(wanted)s.") % {"wanted": wanted})
        return read


class ToolForm(forms.Form):
    """A field for each argument. What is wrong with a value, the tool says: as it does in a call."""

    prefix = "tool"

    def __init__(self, tool: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shape: Any = EVERY_TOOL[tool].arguments
        schema: Mapping[str, Any] = schema_of(shape)
        required = schema.get("required", ())
        for name, each in schema.get("properties", {}).items():
            self.fields[name] = _field(name, each, is_required=name in required)

    @property
    def arguments(self) -> dict[str, object]:
        """Without what was left empty and need not be given."""
        given = self.cleaned_data.items()
        return {name: value for name, value in given if value not in (None, "") or self.fields[name].required}


def _field(name: str, schema: Mapping[str, Any], *, is_required: bool) -> forms.Field:
    shared: dict[str, Any] = {
        "label": name.replace("_", " ").capitalize(),
        "help_text": schema.get("description", ""),
        # A text may be empty, and then the tool says what is missing.
        "required": is_required and schema.get("type") != "string",
    }
    if "enum" in schema:
        choices = [(str(each), str(each)) for each in schema["enum"]]
        return forms.ChoiceField(choices=choices, widget=Select(), **shared)
    match schema.get("type"):
        case "integer":
            return forms.IntegerField(widget=TextInput(attrs={"inputmode": "numeric"}), **shared)
        case "boolean":
            return forms.BooleanField(**{**shared, "required": False})
        case "string":
            return forms.CharField(widget=TextInput(), max_length=schema.get("maxLength", 500), strip=False, **shared)
        case _:
            return JsonField(schema, **shared)


def as_initial(arguments: Mapping[str, object]) -> dict[str, object]:
    """Lists and objects as text that a person can change."""
    return {
        name: json.dumps(value, ensure_ascii=False, indent=2) if isinstance(value, (list, dict)) else value
        for name, value in arguments.items()
    }
