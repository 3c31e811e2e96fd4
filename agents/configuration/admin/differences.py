"""What differs between two personas, as a person reads it: field by field, texts line by line."""

from __future__ import annotations

from dataclasses import dataclass

from agents.configuration.models import Persona
from agents.organizations.trades import TOOL_LABELS
from voiceapp.core.differences import DiffLine, compare, normal_text


@dataclass(frozen=True, slots=True)
class Difference:
    label: str
    lines: tuple[DiffLine, ...]


def differences(before: Persona, after: Persona) -> tuple[Difference, ...]:
    """One entry per field that differs."""
    found = []
    for name in Persona.persona_fields():
        old, new = value_text(before, name), value_text(after, name)
        if old != new:
            found.append(Difference(label_of(name), tuple(compare(old, new))))
    return tuple(found)


def label_of(name: str) -> str:
    """“silence before the turn ends (ms)”: the field's label."""
    return str(getattr(Persona._meta.get_field(name), "verbose_name", name))


def value_text(persona: Persona, name: str) -> str:
    """A field's value as text; a choice by its label."""
    label = getattr(persona, f"get_{name}_display", None)
    value = label() if label is not None else getattr(persona, name)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return normal_text("\n".join(str(TOOL_LABELS.get(str(each), str(each))) for each in value))
    return normal_text(str(value))
