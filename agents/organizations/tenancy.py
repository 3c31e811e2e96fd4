"""The base of every queryset of rows that an organization owns."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, ClassVar, Self, TypeVar

from django.core.exceptions import ValidationError
from django.db import models

from voiceapp.core.plain_text import validate_line, validate_text

from . import auditing
from .principal import Principal

M = TypeVar("M", bound=models.Model)


class TenantQuerySet(models.QuerySet[M]):
    """Rows of one organization; a subclass or the model says by `tenant_path` how to reach it."""

    def visible_to(self, principal: Principal) -> Self:
        """Only what the principal may see; a stranger's rows do not exist for it."""
        if principal.sees_all:
            return self
        path: str = getattr(self.model, "tenant_path", "organization_id")
        visible = models.Q(**{f"{path}__in": principal.organization_ids})
        owner_path: str = getattr(self.model, "owner_path", "")
        if owner_path and principal.is_own_tenant:
            visible |= models.Q(**{f"{path}__isnull": True, owner_path: principal.subject})
        return self.filter(visible)

    def update(self, **values: Any) -> int:
        if not auditing.is_recorded(self.model):
            return super().update(**values)
        return auditing.updated(self, values, lambda: super(TenantQuerySet, self).update(**values))

    def delete(self) -> tuple[int, dict[str, int]]:
        if not auditing.is_recorded(self.model):
            return super().delete()
        return auditing.removed(list(self), super().delete)

    def bulk_create(self, objs: Iterable[M], *args: Any, **options: Any) -> list[M]:
        rows = list(objs)
        if not auditing.is_recorded(self.model):
            return super().bulk_create(rows, *args, **options)
        return auditing.made(rows, lambda: super(TenantQuerySet, self).bulk_create(rows, *args, **options))


class TenantModel(models.Model):
    """A row that belongs to an organization, directly or through the relation named in `tenant_path`.

    Where rows may belong to no organization, `owner_path` leads to the subject whose they are then.
    """

    tenant_path: ClassVar[str] = "organization_id"
    owner_path: ClassVar[str] = ""
    # Configuration, of which each change by a person, a key or a command is written to the audit log.
    audited: ClassVar[auditing.Audited | None] = None

    class Meta:
        abstract = True

    def save(self, *args: Any, **options: Any) -> None:
        if auditing.is_recorded(type(self)):
            auditing.saved(self, options.get("update_fields"), lambda: super(TenantModel, self).save(*args, **options))
        else:
            super().save(*args, **options)

    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        if not auditing.is_recorded(type(self)):
            return super().delete(*args, **options)
        return auditing.removed([self], lambda: super(TenantModel, self).delete(*args, **options))

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        """Names are printed and read aloud, prompts are read by a model: both are plain text.

        A text's lines end as on every computer, not as the browser that sent it writes them.
        """
        for field in self._meta.concrete_fields:
            value = getattr(self, field.attname)
            if isinstance(field, models.TextField) and isinstance(value, str) and field.name not in (exclude or ()):
                setattr(self, field.attname, value.replace("\r\n", "\n").replace("\r", "\n"))
        errors: dict[str, list[ValidationError]] = {}
        try:
            super().clean_fields(exclude)
        except ValidationError as exc:
            errors = exc.error_dict
        for field in self._meta.concrete_fields:
            value = getattr(self, field.attname)
            if field.name in (exclude or ()) or field.name in errors or not isinstance(value, str):
                continue
            try:
                (validate_text if isinstance(field, models.TextField) else validate_line)(value)
            except ValidationError as exc:
                errors[field.name] = [exc]
        if errors:
            raise ValidationError(errors)
