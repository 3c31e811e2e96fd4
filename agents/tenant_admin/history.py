"""What a save changed, with old and new values, for the history of a row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

from django import forms
from django.db import models
from django.db.models.fields.files import FieldFile
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.hours.local_time import when
from voiceapp.core.differences import compare, normal_text
from voiceapp.core.phones.field import PhoneNumberFormField
from voiceapp.core.phones.numbers import show_number

LONGEST_VALUE = 200
LONGEST_MESSAGE = 4000
# Only the fact of a change: more people read the history than may see the secret.
SECRET = ("secret", "password", "key", "token")
NOTHING = "nothing"
UNCHANGED = _("Saved without changes.")


def change_message(form: Any, formsets: Iterable[Any] | None, *, is_new: bool) -> str:
    """“Price: 9.00 → 9.50. Opening hours added: Monday 11:00–22:00.”"""
    parts = [gettext("Added.")] if is_new else list(_changes(form))
    for formset in formsets or ():
        parts += _rows(formset)
    return " ".join(parts)[:LONGEST_MESSAGE] or str(UNCHANGED)


def _changes(form: Any) -> Iterator[str]:
    for name in form.changed_data:
        field = form.fields.get(name)
        if field is None:
            continue
        label = capfirst(str(field.label or name.replace("_", " ")))
        if any(word in name for word in SECRET):
            yield gettext("%(label)s changed.") % {"label": label}
            continue
        old, new = form.get_initial_for_field(field, name), form.cleaned_data.get(name)
        change = _change(field, old, new)
        if change:
            yield f"{label}: {change}."


def _rows(formset: Any) -> Iterator[str]:
    noun = str(formset.model._meta.verbose_name)
    for row in formset.new_objects:
        yield gettext("%(capfirst)s added: %(row)s.") % {"capfirst": capfirst(noun), "row": row}
    for row in formset.deleted_objects:
        yield gettext("%(capfirst)s removed: %(row)s.") % {"capfirst": capfirst(noun), "row": row}
    changed = {row.pk for row, _ in formset.changed_objects}
    for form in formset.forms:
        if form.instance.pk in changed:
            yield f"{capfirst(noun)} {form.instance}: {' '.join(_changes(form))}"


def _change(field: forms.Field, old: object, new: object) -> str:
    before, after = value_text(field, old), value_text(field, new)
    if before == after:
        return ""
    if "\n" not in before + after and len(before + after) <= LONGEST_VALUE:
        return f"{before or NOTHING} → {after or NOTHING}"
    lines = compare(before, after)
    gone = " / ".join(line.text for line in lines if line.mark == "-")
    come = " / ".join(line.text for line in lines if line.mark == "+")
    return f"“{gone[:LONGEST_VALUE] or NOTHING}” → “{come[:LONGEST_VALUE] or NOTHING}”"


def value_text(field: forms.Field, value: Any) -> str:
    """A form's value as the page shows it: a choice by its label, a row by its name, a time in the active zone."""
    if value in (None, "", []):
        return ""
    if isinstance(field, forms.ModelMultipleChoiceField):
        return ", ".join(sorted(str(each) for each in _rows_of(field, value)))
    if isinstance(field, forms.ModelChoiceField):
        found = next(iter(_rows_of(field, [value])), None)
        return "" if found is None else str(found)
    if isinstance(field, forms.ChoiceField):
        offered: Any = field.choices
        labels = {str(key): str(label) for key, label in offered if not isinstance(label, (list, tuple))}
        return labels.get(str(value), str(value))
    return show_number(str(value)) if isinstance(field, PhoneNumberFormField) else _plain_text(value)


def _plain_text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dt.datetime):
        return when(value)
    if isinstance(value, dt.time):
        return f"{value:%H:%M}"
    if isinstance(value, (list, tuple)):
        return ", ".join(str(each) for each in value)
    if isinstance(value, FieldFile):
        return value.name or ""
    return normal_text(str(value))


def _rows_of(field: Any, values: Any) -> list[models.Model]:
    keys = [each.pk if isinstance(each, models.Model) else each for each in values]
    return list(field.queryset.model._default_manager.filter(pk__in=keys))
