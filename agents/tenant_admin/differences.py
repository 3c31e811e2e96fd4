"""What differs between two personas, in words that a person reads: field by field, texts line by line."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from agents.configuration.models import Persona


@dataclass(frozen=True, slots=True)
class DiffLine:
    """`mark` is + (new), - (gone) or a space (as before)."""

    mark: str
    text: str


@dataclass(frozen=True, slots=True)
class Difference:
    label: str
    lines: tuple[DiffLine, ...]


def differences(before: Persona, after: Persona) -> tuple[Difference, ...]:
    """One entry per field that differs."""
    found = []
    for name in Persona.persona_fields():
        old, new = words(before, name), words(after, name)
        if old != new:
            found.append(Difference(label_of(name), tuple(compare(old, new))))
    return tuple(found)


def label_of(name: str) -> str:
    """“vad silence (ms)”: the field's name as a person reads it, with its unit."""
    for unit in ("ms", "s"):
        if name.endswith(f"_{unit}"):
            return f"{name.removesuffix(f'_{unit}').replace('_', ' ')} ({unit})"
    return name.replace("_", " ")


def words(persona: Persona, name: str) -> str:
    """A field's value as text; a choice by its label."""
    label = getattr(persona, f"get_{name}_display", None)
    value = label() if label is not None else getattr(persona, name)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return normal_text("\n".join(str(each) for each in value))
    return normal_text(str(value))


def normal_text(text: str) -> str:
    """As the model reads it: how a browser or a computer ends its lines is no difference."""
    return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")


def compare(old: str, new: str) -> list[DiffLine]:
    """Lines of both, with three lines of unchanged text around each change."""
    lines = []
    for line in difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=3):
        if line.startswith(("---", "+++")):
            continue
        lines.append(DiffLine(" ", "…") if line.startswith("@@") else DiffLine(line[0], line[1:]))
    return lines[1:] if lines and lines[0].text == "…" else lines
