"""The column of sentences that workers store for people (kept_texts.py)."""

from __future__ import annotations

from typing import Any

from django.db import models

from .kept_texts import KeptText, kept, stored


class KeptTextField(models.CharField[str, str]):
    """A column of such sentences; other texts are kept as they are. `max_length` has room for the parts."""

    def get_prep_value(self, value: Any) -> Any:
        if isinstance(value, KeptText):
            return stored(value, longest=self.max_length or 0)
        return super().get_prep_value(value)

    def from_db_value(self, value: str | None, *_: object) -> KeptText | None:
        return None if value is None else kept(value)

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        """For migrations it is a column like others."""
        name, _path, args, options = super().deconstruct()
        return name, "django.db.models.CharField", args, options
