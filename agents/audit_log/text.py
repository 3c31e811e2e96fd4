"""An entry of the audit log as people read it: labels instead of columns, choices by their names."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agents.hours.local_time import when
from agents.organizations.tenancy import TenantModel

from .models import AuditEntry

LONGEST_IN_LIST = 120
# What no column says.
EVENTS = {"two_factor": gettext_lazy("two-factor sign-in"), "password": gettext_lazy("password")}


@dataclass(frozen=True, slots=True)
class ShownChange:
    """`old` and `new` are empty where there was or is nothing."""

    label: str
    old: str
    new: str

    @property
    def is_long(self) -> bool:
        return "\n" in self.old + self.new or len(self.old + self.new) > LONGEST_IN_LIST


def kind_label(kind: str) -> str:
    """“Opening hours” of “agents.openinghours”; what it was of a kind that is no more."""
    model = model_of(kind)
    return capfirst(str(model._meta.verbose_name)) if model is not None else kind


def kinds() -> list[tuple[str, str]]:
    """Each kind that is recorded, by its label."""
    found = [model for model in apps.get_models() if issubclass(model, TenantModel) and model.audited is not None]
    return sorted(
        ((model._meta.label_lower, kind_label(model._meta.label_lower)) for model in found), key=lambda k: k[1]
    )


def model_of(kind: str) -> type[models.Model] | None:
    try:
        return apps.get_model(kind)
    except (LookupError, ValueError):
        return None


def shown_changes(entry: AuditEntry) -> list[ShownChange]:
    model = model_of(entry.kind)
    return [_shown(model, str(name), old, new) for name, old, new in entry.changes]


def summary(entry: AuditEntry) -> str:
    """“Price: 9.00 → 9.50. Sold out: no → yes.” Long texts by their length alone."""
    parts = []
    for each in shown_changes(entry):
        if each.is_long:
            parts.append(_("%(label)s changed.") % {"label": each.label})
        elif entry.action == AuditEntry.Action.CHANGED:
            parts.append(f"{each.label}: {each.old or _('nothing')} → {each.new or _('nothing')}.")
        else:
            parts.append(f"{each.label}: {each.new or each.old}.")
    return " ".join(parts)


def _shown(model: type[models.Model] | None, name: str, old: Any, new: Any) -> ShownChange:
    field: Any = None
    if model is not None:
        try:
            field = model._meta.get_field(name)
        except FieldDoesNotExist:
            field = None
    label = getattr(field, "verbose_name", None) or EVENTS.get(name) or name.replace("_", " ")
    return ShownChange(capfirst(str(label)), _text(field, old), _text(field, new))


def _text(field: Any, value: Any) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(map(str, value))
    choices = {str(key): str(label) for key, label in getattr(field, "flatchoices", ())}
    if str(value) in choices:
        return choices[str(value)]
    if isinstance(field, models.DateTimeField):
        return when(dt.datetime.fromisoformat(str(value)))
    return str(value).removesuffix(":00") if isinstance(field, models.TimeField) else str(value)
