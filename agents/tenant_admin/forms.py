"""Forms that keep the rows of organizations apart and save only what the person changed."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.organizations.access import organization_id_of
from agents.organizations.auditing import is_recorded, record_links
from agents.organizations.tenancy import TenantModel
from voiceapp.core.languages import LanguageField
from voiceapp.core.phones.field import PhoneNumberField

from .edit_conflicts import ConflictCheckingForm

DIFFERENT = _("These records belong to different organizations. Choose records of one organization only.")


def changed_columns(form: forms.ModelForm[Any]) -> list[str]:
    """The columns that a form changes: writing the others too would undo what a live call did meanwhile."""
    columns = {field.name for field in form.instance._meta.concrete_fields}
    return [name for name in form.changed_data if name in columns]


class TenantForm(ConflictCheckingForm):
    """`only_one` names a flag that one row per owner carries: setting it here takes it from the other."""

    only_one: ClassVar[str] = ""
    _flag: bool | None = None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        # Kept from the instance until it is saved: the other row still carries the flag, and constraints see that.
        self._flag = cleaned.pop(self.only_one, None)
        if len(self._organizations(cleaned)) > 1:
            raise forms.ValidationError(DIFFERENT)
        return cleaned

    def _post_clean(self) -> None:
        """A number or a language is read while its row is cleaned: what is written to the history is what is kept."""
        super()._post_clean()  # type: ignore[misc]  # not in the stubs
        for field in self.instance._meta.concrete_fields:
            if isinstance(field, (PhoneNumberField, LanguageField)) and field.name in self.cleaned_data:
                self.cleaned_data[field.name] = getattr(self.instance, field.name)

    def _save_m2m(self) -> None:
        """Links have no row that would notice it, so they are written to the audit log here."""
        fields = [each for each in self.instance._meta.many_to_many if each.name in self.cleaned_data]
        fields = fields if is_recorded(type(self.instance)) else []
        before = {each.name: list(getattr(self.instance, each.name).all()) for each in fields}
        super()._save_m2m()  # type: ignore[misc]  # not in the stubs
        for name, old in before.items():
            record_links(self.instance, name, old=old, new=getattr(self.instance, name).all())

    def _organizations(self, cleaned: dict[str, Any]) -> set[UUID | None]:
        found: set[UUID | None] = set()
        if self.instance.pk and isinstance(self.instance, TenantModel) and not self.instance._state.adding:
            found.add(organization_id_of(self.instance))
        for value in cleaned.values():
            if isinstance(value, TenantModel):
                found.add(organization_id_of(value))
            elif isinstance(value, models.QuerySet) and issubclass(value.model, TenantModel):
                found |= set(value.order_by().values_list(value.model.tenant_path, flat=True).distinct())
        return found

    @property
    def is_flagged(self) -> bool:
        """Whether this row is to carry the flag."""
        return self._flag if self._flag is not None else bool(self.only_one and getattr(self.instance, self.only_one))

    def save(self, commit: bool = True) -> Any:
        if self.only_one:
            setattr(self.instance, self.only_one, self.is_flagged)
        return super().save(commit)


def name_fields(form: Any, of: str = "") -> None:
    """Give every field a label for screen readers: in a table only the column has one."""
    for name, field in form.fields.items():
        if not field.widget.is_hidden:
            label = str(field.label or name.replace("_", " "))
            field.widget.attrs.setdefault("aria-label", f"{label}: {of}" if of else label)


class ListForm(forms.ModelForm[Any]):
    """A row of a list whose fields can be edited there."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name_fields(self, str(self.instance))


class TenantFormSet(forms.BaseInlineFormSet[Any, Any, Any]):
    """Rows on their owner's page."""

    only_one: ClassVar[str] = ""

    def clean(self) -> None:
        super().clean()
        if not self.only_one:
            return
        if sum(form.is_flagged for form in self.kept() if hasattr(form, "cleaned_data")) > 1:
            raise forms.ValidationError(gettext("Only one of them can be the default. Clear “Default” for the others."))

    def kept(self) -> list[Any]:
        """The forms of rows that will exist: neither deleted nor empty."""
        left = (form for form in self.forms if form not in self.deleted_forms)
        return [form for form in left if form.instance.pk or form.has_changed()]

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        name_fields(form, str(form.instance) if form.instance.pk else "")

    def save(self, commit: bool = True) -> list[Any]:
        if self.only_one and self.instance.pk:
            rows = self.fk.model._default_manager.filter(**{self.fk.name: self.instance})
            rows.filter(**{self.only_one: True}).exclude(pk__in=self._flagged()).update(**{self.only_one: False})
        return list(super().save(commit))

    def _flagged(self) -> list[Any]:
        return [form.instance.pk for form in self.initial_forms if form.is_flagged]

    def save_existing(self, form: Any, obj: Any, commit: bool = True) -> Any:
        if not commit:
            return form.save(commit=False)
        row = form.save(commit=False)
        row.save(update_fields=changed_columns(form))
        form.save_m2m()
        return row
