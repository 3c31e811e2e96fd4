"""The base of every queryset of rows that an organization owns."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, ClassVar, Self, TypeVar

from django.core.exceptions import ValidationError
from django.db import models

from voiceapp.core.plain_text import validate_line, validate_text

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


class TenantModel(models.Model):
    """A row that belongs to an organization, directly or through the relation named in `tenant_path`.

    Where rows may belong to no organization, `owner_path` leads to the subject whose they are then.
    """

    tenant_path: ClassVar[str] = "organization_id"
    owner_path: ClassVar[str] = ""

    class Meta:
        abstract = True

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
